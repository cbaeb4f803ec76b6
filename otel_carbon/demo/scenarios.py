"""The sample company: eight services, which models they ask, for whom, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from otel_carbon.demo.span_trees import BEDROCK_SCOPE


class Twin(Enum):
    """How a second instrumentation reports the same call."""

    NONE = "none"
    NESTED = "nested"
    """A client library's own span inside the span of an instrumentation."""
    OTHER_TRACE = "other_trace"
    """The same response id once more, in a trace of its own."""
    SAME_TIME = "same_time"
    """No id in common: only service, tokens and time agree."""


class Hours(Enum):
    """When a service is busy: 24 weights for working days, and the share of a working day done on a weekend day."""

    OFFICE = ((0, 0, 0, 0, 0, 0, 1, 3, 8, 10, 9, 7, 6, 8, 9, 8, 6, 4, 2, 1, 0, 0, 0, 0), 0.15)
    SHOP = ((2, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 8, 9, 8, 7, 7, 8, 9, 10, 10, 8, 6, 3, 0), 1.25)
    NIGHT = ((0, 8, 10, 9, 6, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0.8)


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What a service asks of one model.

    `requested` is the id asked for, `answered` the one the response names.
    `share` weighs the model within its service; token counts are medians of one call.
    `region` is what the caller states as `cloud.region`, empty where it states none.
    """

    provider: str
    requested: str
    answered: str
    host: str
    share: float
    input_tokens: int
    output_tokens: int | None
    region: str = ""
    cached_share: float = 0.0
    reasons: bool = False
    operation: str = "chat"


@dataclass(frozen=True, slots=True)
class ServiceScenario:
    """One service of the sample company.

    `in_process` services run the span processor themselves, the others leave it to the collector.
    `episodes` is how many requests the service handles in the period; shares are fractions of them.
    `tenants` weighs who asked; the empty name is a call without a tenant.
    """

    name: str
    in_process: bool
    episodes: int
    scope: str
    models: tuple[ModelUse, ...]
    hours: Hours
    tenants: tuple[tuple[str, float], ...]
    twin: Twin = Twin.NONE
    twin_scope: str = ""
    twin_share: float = 0.0
    agent_share: float = 0.0
    in_workflow: bool = False
    http_share: float = 0.0
    failed_share: float = 0.0
    silent_share: float = 0.0
    """Streams whose client did not ask for the usage."""


_ANTHROPIC = "api.anthropic.com"
_OPENAI = "api.openai.com"
_BEDROCK_FRANKFURT = "bedrock-runtime.eu-central-1.amazonaws.com"
_BEDROCK_OREGON = "bedrock-runtime.us-west-2.amazonaws.com"
_ALL_TENANTS = (("northwind", 5.0), ("fjord-bank", 3.0), ("casa-verde", 2.0), ("lumen-press", 1.5), ("", 0.8))

SUPPORT_ASSISTANT = ServiceScenario(
    name="support-assistant",
    in_process=True,
    episodes=820,
    scope="com.anthropic.sdk.python",
    models=(
        ModelUse(
            "anthropic",
            "claude-sonnet-4-5-20250929",
            "claude-sonnet-4-5-20250929",
            _ANTHROPIC,
            0.45,
            3200,
            420,
            cached_share=0.7,
        ),
        ModelUse("anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001", _ANTHROPIC, 0.55, 1400, 260),
    ),
    hours=Hours.OFFICE,
    tenants=_ALL_TENANTS,
    twin=Twin.NESTED,
    twin_scope="opentelemetry.instrumentation.genai.anthropic",
    twin_share=0.75,
    agent_share=0.18,
    http_share=0.35,
    failed_share=0.015,
)

CONTRACT_REVIEW = ServiceScenario(
    name="contract-review",
    in_process=True,
    episodes=640,
    scope="opentelemetry.instrumentation.genai.openai",
    models=(
        ModelUse(
            "openai", "gpt-5-2025-08-07", "gpt-5-2025-08-07", _OPENAI, 0.4, 5200, 1500, cached_share=0.3, reasons=True
        ),
        ModelUse("openai", "gpt-5-mini-2025-08-07", "gpt-5-mini-2025-08-07", _OPENAI, 0.6, 2100, 520, reasons=True),
    ),
    hours=Hours.OFFICE,
    tenants=(("fjord-bank", 6.0), ("northwind", 2.0), ("lumen-press", 1.0)),
    twin=Twin.OTHER_TRACE,
    twin_scope="llm-gateway.audit",
    twin_share=0.3,
    failed_share=0.02,
)

NIGHTLY_DIGEST = ServiceScenario(
    name="nightly-digest",
    in_process=True,
    episodes=760,
    scope="opentelemetry.instrumentation.genai.openai",
    models=(
        ModelUse(
            "azure.ai.openai",
            "gpt-4o-2024-11-20",
            "gpt-4o-2024-11-20",
            "digest-prod.openai.azure.com",
            1.0,
            2600,
            350,
            region="swedencentral",
        ),
    ),
    hours=Hours.NIGHT,
    tenants=(("lumen-press", 4.0), ("casa-verde", 1.0)),
    failed_share=0.01,
)

EDGE_SUMMARIES = ServiceScenario(
    name="edge-summaries",
    in_process=True,
    episodes=560,
    scope="opentelemetry.instrumentation.genai.openai",
    models=(
        ModelUse("openai", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf", "10.20.0.14", 0.7, 420, 90),
        ModelUse("openai", "llama-3.1-8b-instruct", "llama-3.1-8b-instruct", "10.20.0.15", 0.3, 900, 210),
    ),
    hours=Hours.SHOP,
    tenants=(("casa-verde", 1.0),),
    http_share=0.2,
)

STOREFRONT_SEARCH = ServiceScenario(
    name="storefront-search",
    in_process=False,
    episodes=1500,
    scope="opentelemetry.instrumentation.google_genai",
    models=(
        ModelUse(
            "gcp.vertex_ai",
            "gemini-2.5-flash",
            "gemini-2.5-flash",
            "us-central1-aiplatform.googleapis.com",
            0.35,
            1100,
            240,
            operation="generate_content",
        ),
        ModelUse(
            "gcp.vertex_ai",
            "gemini-2.5-flash-lite",
            "gemini-2.5-flash-lite",
            "europe-west4-aiplatform.googleapis.com",
            0.45,
            800,
            160,
            operation="generate_content",
        ),
        ModelUse(
            "gcp.gemini",
            "gemini-2.5-pro",
            "gemini-2.5-pro",
            "generativelanguage.googleapis.com",
            0.2,
            1500,
            420,
            cached_share=0.25,
            reasons=True,
            operation="generate_content",
        ),
    ),
    hours=Hours.SHOP,
    tenants=(("casa-verde", 3.0), ("northwind", 1.0), ("", 1.0)),
    http_share=0.25,
    silent_share=0.04,
    failed_share=0.01,
)

TRANSLATION = ServiceScenario(
    name="translation",
    in_process=False,
    episodes=520,
    scope="opentelemetry.instrumentation.mistralai",
    models=(ModelUse("mistral_ai", "mistral-large-2512", "mistral-large-2512", "api.mistral.ai", 1.0, 950, 900),),
    hours=Hours.OFFICE,
    tenants=(("lumen-press", 3.0), ("fjord-bank", 1.0)),
    silent_share=0.03,
)

RESEARCH_AGENTS = ServiceScenario(
    name="research-agents",
    in_process=False,
    episodes=300,
    scope=BEDROCK_SCOPE,
    models=(
        ModelUse(
            "aws.bedrock",
            "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            _BEDROCK_FRANKFURT,
            0.6,
            4200,
            650,
            cached_share=0.5,
        ),
        ModelUse(
            "aws.bedrock",
            "us.meta.llama3-1-70b-instruct-v1:0",
            "us.meta.llama3-1-70b-instruct-v1:0",
            _BEDROCK_OREGON,
            0.4,
            1800,
            420,
        ),
    ),
    hours=Hours.OFFICE,
    tenants=(("fjord-bank", 2.0), ("northwind", 2.0), ("", 1.0)),
    twin=Twin.SAME_TIME,
    twin_scope="opentelemetry.instrumentation.genai.langchain",
    twin_share=0.25,
    agent_share=0.7,
    in_workflow=True,
)

LABS = ServiceScenario(
    name="labs",
    in_process=False,
    episodes=480,
    scope="opentelemetry.instrumentation.genai.openai",
    models=(
        ModelUse("openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini-2024-07-18", _OPENAI, 0.5, 700, 230),
        ModelUse("together_ai", "acme-frontier-1", "acme-frontier-1", "api.together.xyz", 0.2, 1300, 380),
        ModelUse(
            "openai",
            "text-embedding-3-small",
            "text-embedding-3-small",
            _OPENAI,
            0.3,
            520,
            None,
            operation="embeddings",
        ),
    ),
    hours=Hours.OFFICE,
    tenants=(("", 1.0),),
    failed_share=0.02,
    silent_share=0.02,
)

SERVICES = (
    SUPPORT_ASSISTANT,
    CONTRACT_REVIEW,
    NIGHTLY_DIGEST,
    EDGE_SUMMARIES,
    STOREFRONT_SEARCH,
    TRANSLATION,
    RESEARCH_AGENTS,
    LABS,
)
