"""Where a call went, by the strength of the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_carbon.spans.region import DERIVED, REPORTED, UNKNOWN, RegionEvidence
from otel_carbon.spans.view import KIND_CLIENT, KIND_INTERNAL, KIND_SERVER
from tests.unit.spans.chat_spans import CHAT, read_view, span_with

if TYPE_CHECKING:
    from collections.abc import Mapping

BEDROCK = "bedrock-runtime.eu-central-1.amazonaws.com"


def region(
    attributes: Mapping[str, object], *, kind: int = KIND_CLIENT, resource: Mapping[str, object] | None = None
) -> RegionEvidence:
    return read_view(span_with({**CHAT, **attributes}, kind=kind, resource=resource)).profile.region


def test_a_region_on_the_span_wins_over_the_host() -> None:
    found = region({"cloud.region": "us-west-2", "server.address": BEDROCK})
    assert found == RegionEvidence("us-west-2", REPORTED, private_host=False)


@pytest.mark.parametrize(
    ("reported", "name"),
    [
        ("us-east-1a", "us-east-1"),
        ("us-gov-west-1b", "us-gov-west-1"),
        ("us-central1-a", "us-central1"),
        ("northamerica-northeast1-c", "northamerica-northeast1"),
        ("East US 2", "eastus2"),
        ("(US) West US", "westus"),
        ("eu-central-2", "eu-central-2"),
        ("FRA", "FRA"),
    ],
)
def test_zones_and_names_for_people_stand_for_their_region(reported: str, name: str) -> None:
    assert region({"cloud.region": reported}) == RegionEvidence(name, REPORTED, private_host=False)


@pytest.mark.parametrize("anywhere", ["global", "eu", "GLOBAL"])
def test_a_choice_among_regions_is_none(anywhere: str) -> None:
    assert region({"cloud.region": anywhere}) == RegionEvidence(None, UNKNOWN, private_host=False)
    beside = region({"cloud.region": anywhere, "server.address": BEDROCK})
    assert beside == RegionEvidence("eu-central-1", DERIVED, private_host=False)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (BEDROCK, "eu-central-1"),
        ("bedrock.us-east-1.amazonaws.com", "us-east-1"),
        ("bedrock-agent-runtime.ap-southeast-2.amazonaws.com", "ap-southeast-2"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("Bedrock-Runtime.EU-Central-1.amazonaws.com.", "eu-central-1"),
        ("us-central1-aiplatform.googleapis.com", "us-central1"),
        ("europe-west4-aiplatform.googleapis.com", "europe-west4"),
    ],
)
def test_hosts_of_bedrock_and_vertex_carry_their_region(host: str, name: str) -> None:
    assert region({"server.address": host}) == RegionEvidence(name, DERIVED, private_host=False)


@pytest.mark.parametrize("key", ["server.address", "net.peer.name"])
def test_the_host_is_read_from_the_current_and_the_older_key(key: str) -> None:
    assert region({key: BEDROCK}).region == "eu-central-1"


def test_the_current_host_key_wins() -> None:
    assert region({"server.address": BEDROCK, "net.peer.name": "api.openai.com"}).region == "eu-central-1"


@pytest.mark.parametrize(
    "host",
    [
        "api.openai.com",
        "my-resource.openai.azure.com",
        "aiplatform.googleapis.com",
        "generativelanguage.googleapis.com",
        "s3.eu-central-1.amazonaws.com",
        "bedrock-runtime.eu-central-1.amazonaws.com.evil.example",
        "evil.example/bedrock-runtime.eu-central-1.amazonaws.com",
        "8.8.8.8",
        "2001:4860:4860::8888",
        "localhost.example.com",
        "",
    ],
)
def test_other_public_hosts_say_nothing(host: str) -> None:
    assert region({"server.address": host}) == RegionEvidence(None, UNKNOWN, private_host=False)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.9",
        "192.168.1.5",
        "169.254.7.7",
        "::1",
        "[::1]",
        "fd12:3456::1",
        "fe80::1",
        "localhost",
        "LOCALHOST",
        "host.docker.internal",
        "model.localhost",
        "gpu-box.local",
        "vllm.models.svc",
        "vllm.models.svc.cluster.local",
        "llm.corp.internal",
    ],
)
def test_loopback_and_private_hosts_are_recognised(host: str) -> None:
    assert region({"server.address": host}) == RegionEvidence(None, UNKNOWN, private_host=True)


def test_a_reported_region_keeps_that_the_host_is_private() -> None:
    found = region({"cloud.region": "eu-west-1", "server.address": "10.1.2.3"})
    assert found == RegionEvidence("eu-west-1", REPORTED, private_host=True)


@pytest.mark.parametrize("own", [{}, {"cloud.region": ""}], ids=["absent", "empty"])
def test_a_model_server_runs_where_its_resource_says(own: dict[str, object]) -> None:
    found = region(own, kind=KIND_SERVER, resource={"cloud.region": "eu-north-1"})
    assert found == RegionEvidence("eu-north-1", REPORTED, private_host=False)


def test_model_servers_of_two_resources_do_not_share_a_region() -> None:
    found = [
        region({}, kind=KIND_SERVER, resource={"cloud.region": name}).region for name in ("eu-north-1", "us-east-2")
    ]
    assert found == ["eu-north-1", "us-east-2"]


def test_a_region_on_a_server_span_wins_over_its_resource() -> None:
    found = region({"cloud.region": "us-west-2"}, kind=KIND_SERVER, resource={"cloud.region": "eu-north-1"})
    assert found.region == "us-west-2"


@pytest.mark.parametrize("kind", [0, KIND_INTERNAL, KIND_CLIENT, 4, 5])
def test_the_resource_of_a_caller_says_nothing_about_the_model(kind: int) -> None:
    found = region({}, kind=kind, resource={"cloud.region": "eu-north-1"})
    assert found == RegionEvidence(None, UNKNOWN, private_host=False)


@pytest.mark.parametrize("wrong", [7, ("eu-west-1",), True], ids=str)
def test_a_region_that_is_no_text_is_no_evidence(wrong: object) -> None:
    assert region({"cloud.region": wrong, "server.address": BEDROCK}).evidence == DERIVED


def test_long_regions_are_cut() -> None:
    name = region({"cloud.region": "x" * 10_000}).region
    assert name is not None
    assert set(name) == {"x"}
    assert len(name) <= 256
