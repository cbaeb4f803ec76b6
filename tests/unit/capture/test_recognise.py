from __future__ import annotations

import json

import pytest

from otel_carbon.capture.recognise import MAX_MODEL_CHARACTERS, MAX_PARSED_BYTES, model_asked_for, recognise


@pytest.mark.parametrize(
    ("target", "provider", "operation", "model", "sure"),
    [
        ("/v1/chat/completions", "openai", "chat", "", True),
        ("/openai/v1/chat/completions", "openai", "chat", "", True),
        ("/api/v1/chat/completions?x=y", "openai", "chat", "", True),
        ("/v1/completions", "openai", "text_completion", "", False),
        ("/v1/fim/completions", "openai", "text_completion", "", False),
        ("/v1/agents/completions", "mistral_ai", "chat", "", False),
        ("/v1/responses", "openai", "chat", "", False),
        ("/openai/responses?api-version=2025-04-01", "openai", "chat", "", False),
        ("/v1/embeddings", "openai", "embeddings", "", False),
        ("/openai/deployments/my-gpt/chat/completions?api-version=1", "azure.ai.openai", "chat", "my-gpt", True),
        ("/openai/deployments/my%20gpt/embeddings", "azure.ai.openai", "embeddings", "my gpt", True),
        ("/openai/deployments/old/completions", "azure.ai.openai", "text_completion", "old", True),
        ("/v1/messages", "anthropic", "chat", "", False),
        ("/v1/messages?beta=true", "anthropic", "chat", "", False),
        ("/v1beta/models/gemini-2.5-flash:generateContent", "gcp.gemini", "generate_content", "gemini-2.5-flash", True),
        ("/v1/tunedModels/mine:generateContent", "gcp.gemini", "generate_content", "mine", True),
        ("/v1/models/g:streamGenerateContent?alt=sse", "gcp.gemini", "generate_content", "g", True),
        (
            "/v1/projects/p/locations/l/publishers/google/models/g:generateContent",
            "gcp.gemini",
            "generate_content",
            "g",
            True,
        ),
        ("/v1beta/models/e:embedContent", "gcp.gemini", "embeddings", "e", True),
        ("/v1beta/models/e:batchEmbedContents", "gcp.gemini", "embeddings", "e", True),
        ("/v1/p/publishers/anthropic/models/claude@1:rawPredict", "gcp.vertex_ai", "chat", "claude@1", True),
        ("/v1/p/publishers/anthropic/models/claude:streamRawPredict", "gcp.vertex_ai", "chat", "claude", True),
        ("/api/chat", "ollama", "chat", "", False),
        ("/api/generate", "ollama", "text_completion", "", False),
        ("/api/embed", "ollama", "embeddings", "", False),
        ("/api/embeddings", "ollama", "embeddings", "", False),
        ("/v1/chat", "cohere", "chat", "", False),
        ("/v2/chat", "cohere", "chat", "", False),
        ("/gateway/team-a/responses", "openai", "chat", "", False),
        ("/v1/responses/compact", "openai", "chat", "", False),
        ("/v1/chat/completions/", "openai", "chat", "", True),
        ("/v2/embed", "cohere", "embeddings", "", False),
        ("/model/anthropic.claude-v2%3A1/invoke", "aws.bedrock", "chat", "anthropic.claude-v2:1", True),
        (
            "/model/amazon.titan-embed-text-v2%3A0/invoke",
            "aws.bedrock",
            "embeddings",
            "amazon.titan-embed-text-v2:0",
            True,
        ),
        ("/model/m/invoke-with-response-stream", "aws.bedrock", "chat", "m", True),
        ("/model/arn%3Aaws%3Abedrock%2Fx/converse", "aws.bedrock", "chat", "arn:aws:bedrock/x", True),
        ("/model/m/converse-stream", "aws.bedrock", "chat", "m", True),
    ],
)
def test_an_api_is_known_by_its_path(target: str, provider: str, operation: str, model: str, sure: bool) -> None:
    found = recognise("POST", target.encode())
    assert found is not None
    assert (found.api.provider, found.api.operation, found.model, found.api.sure) == (provider, operation, model, sure)


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "",
        "/v1/traces",
        "/v1/models",
        "/v1/messages/count_tokens",
        "/v1/messages/batches",
        "/v1/threads/t/messages",
        "/api/messages",
        "/v1/responses/resp_1/cancel",
        "/v3/chat",
        "/chat",
        "/generate",
        "/v1beta/models/g:countTokens",
        "/v1/images/generations",
        "/v1/audio/transcriptions",
        "/lambda/invoke",
        "/search?next=/v1/chat/completions",
        "/\xff/chat/completion",
    ],
)
def test_other_paths_are_nobodys(target: str) -> None:
    assert recognise("POST", target.encode("utf-8")) is None


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "post"])
def test_nothing_but_a_post_runs_a_model(method: str) -> None:
    assert recognise(method, b"/v1/chat/completions") is None


@pytest.mark.parametrize(
    ("body", "model"),
    [
        ({"model": "gpt-4o", "messages": []}, "gpt-4o"),
        ({"messages": [{"role": "user", "content": 'say "model": "evil"'}], "model": "gpt-4o"}, "gpt-4o"),
        ({"messages": [{"role": "model", "parts": []}]}, None),
        ({"tools": [{"type": "image_generation", "model": "gpt-image-1"}], "model": "gpt-5"}, "gpt-5"),
        ({"tools": [{"model": "a"}, {"model": "b"}]}, None),
        ({"model": None}, None),
        ({"model": 7}, None),
        ({"model": ""}, None),
        ({"model": "x" * MAX_MODEL_CHARACTERS}, "x" * MAX_MODEL_CHARACTERS),
        ({"model": "x" * (MAX_MODEL_CHARACTERS + 1)}, None),
        ({"messages": "x" * 10 * MAX_PARSED_BYTES, "model": "at-the-end"}, "at-the-end"),
        ({"model": "at-the-start", "messages": "x" * 10 * MAX_PARSED_BYTES}, "at-the-start"),
        ({"input": ["x" * MAX_PARSED_BYTES, {"model": "a"}], "model": "gpt-5", "tools": ["y" * 10**6]}, ""),
        ({"input": "x" * MAX_PARSED_BYTES, "model": "in-the-middle", "tools": "y" * 10**6}, "in-the-middle"),
        (["model", "gpt-4o"], None),
    ],
)
def test_the_model_is_found_in_the_body_if_it_names_one(body: object, model: str | None) -> None:
    assert model_asked_for(json.dumps(body).encode()) == model
    assert model_asked_for(json.dumps(body, separators=(",", ":")).encode()) == model


@pytest.mark.parametrize("body", [b"", b'--boundary\r\n"model": "x"', b"\xff", b'"model": "x"'])
def test_a_body_that_is_no_json_object_names_no_model(body: bytes) -> None:
    assert model_asked_for(body) is None
