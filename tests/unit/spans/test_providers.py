"""Who ran the model: every spelling leads to one name, and hosts of providers give them away."""

from __future__ import annotations

import json

import pytest

from otel_carbon.spans.dialect import COMPILED
from otel_carbon.spans.providers import host_of, provider_at, provider_name

PROVIDERS = json.loads(COMPILED.read_text(encoding="utf-8"))["providers"]
NAMES = [record["name"] for record in PROVIDERS]
SPELLINGS = [(spelled, record["name"]) for record in PROVIDERS for spelled in record["spellings"]]
HOSTS = [(pattern, record["name"]) for record in PROVIDERS for pattern in record["hosts"]]


@pytest.mark.parametrize("name", NAMES)
def test_no_spelling_leads_to_another_spelling(name: str) -> None:
    assert provider_name(name) == name


def test_no_provider_and_no_spelling_is_listed_twice() -> None:
    spellings = [spelled for spelled, _ in SPELLINGS]
    assert (len(set(NAMES)), len(set(spellings))) == (len(NAMES), len(spellings))
    assert not set(NAMES) & set(spellings)


@pytest.mark.parametrize(("spelled", "name"), SPELLINGS)
def test_every_spelling_leads_to_the_name(spelled: str, name: str) -> None:
    for filler in ("", "chat", "chat.v2"):
        assert provider_name(spelled.replace("*", filler)) == name


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("OpenAI", "openai"),
        (" openai ", "openai"),
        ("openai.responses", "openai"),
        ("AWS", "aws.bedrock"),
        ("amazon-bedrock", "aws.bedrock"),
        ("Azure", "azure.ai.openai"),
        ("az.ai.inference", "azure.ai.inference"),
        ("google_genai", "gcp.gemini"),
        ("vertexai", "gcp.vertex_ai"),
        ("anthropic.messages", "anthropic"),
        ("xai", "x_ai"),
        ("vLLM", "vllm"),
        ("A-Gateway-Of-Our-Own", "a-gateway-of-our-own"),
        ("openaisomething", "openaisomething"),
        ("", ""),
    ],
)
def test_case_and_blanks_do_not_matter_and_what_is_unknown_stays(spelled: str, name: str) -> None:
    assert provider_name(spelled) == name


@pytest.mark.parametrize(("pattern", "name"), HOSTS)
def test_every_host_gives_its_provider_away(pattern: str, name: str) -> None:
    assert provider_at(pattern.replace("*", "eu-west-1")) == name
    assert provider_at("evil.example") == ""


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("api.openai.com", "openai"),
        ("eu.api.openai.com", "openai"),
        ("my-resource.openai.azure.com", "azure.ai.openai"),
        ("bedrock-runtime.eu-central-1.amazonaws.com", "aws.bedrock"),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "aws.bedrock"),
        ("europe-west4-aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("generativelanguage.googleapis.com", "gcp.gemini"),
        ("api.openai.com.evil.example", ""),
        ("evil-api.openai.com", ""),
        ("s3.eu-central-1.amazonaws.com", ""),
        ("localhost", ""),
        ("10.1.2.3", ""),
        ("", ""),
    ],
)
def test_hosts_that_are_not_of_a_provider_say_nothing(host: str, name: str) -> None:
    assert provider_at(host) == name


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("api.openai.com", "api.openai.com"),
        ("API.OpenAI.com.", "api.openai.com"),
        (" api.openai.com ", "api.openai.com"),
        ("api.openai.com:443", "api.openai.com"),
        ("https://api.openai.com", "api.openai.com"),
        ("https://api.openai.com/v1/", "api.openai.com"),
        ("https://api.openai.com:8443/v1?key=1", "api.openai.com"),
        ("https://user:word@api.openai.com/v1", "api.openai.com"),
        ("api.openai.com/v1", "api.openai.com"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3:8000", "10.1.2.3"),
        ("http://127.0.0.1:11434/api", "127.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("[::1]:8000", "::1"),
        ("http://[fd12:3456::1]:8000/v1", "fd12:3456::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("", ""),
        ("https://", ""),
        ("[", ""),
    ],
)
def test_the_host_is_taken_out_of_addresses_and_urls(address: str, host: str) -> None:
    assert host_of(address) == host
