"""Where a call counts that a client, a gateway and a server report: where it is made, unless settings say otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon import attributes as ours
from otel_carbon.core import reasons
from otel_carbon.enrich_settings import EnrichSettings
from otel_carbon.enricher import Enricher
from otel_carbon.registry.catalog import Registry
from otel_carbon.spans.view import KIND_CLIENT, KIND_INTERNAL, KIND_SERVER, SpanView
from tests.unit.spans.chat_spans import call_span

if TYPE_CHECKING:
    from otel_carbon.enricher import Outcome

DUPLICATE = ours.STATUS_DUPLICATE
ESTIMATED = (ours.STATUS_ESTIMATED, "")
ELSEWHERE = (ours.STATUS_DUPLICATE, reasons.ACCOUNTING_POINT)


def enricher_with(*, count: tuple[str, ...] = (), passing: tuple[str, ...] = (), **more: Any) -> Enricher:
    settings = EnrichSettings(accounting_point=frozenset(count), pass_through=frozenset(passing), **more)
    return Enricher(Registry.bundled(), settings)


def span_of(
    service: str, number: int = 1, kind: int = KIND_CLIENT, more: dict[str, object] | None = None, **where: Any
) -> SpanView:
    return call_span(number, more, kind=kind, resource={"service.name": service}, **where)


def statuses(enricher: Enricher, spans: list[SpanView]) -> list[str]:
    return [result(outcome)[0] for outcome in enricher.enrich_together(spans)]


def result(outcome: Outcome | None) -> tuple[str, str]:
    assert outcome is not None
    return outcome.status, outcome.reason


@pytest.mark.parametrize(
    ("count", "passing", "kind", "expected"),
    [
        ((), (), KIND_CLIENT, ESTIMATED),
        ((), (), KIND_INTERNAL, ESTIMATED),
        ((), (), KIND_SERVER, ELSEWHERE),
        (("llm",), (), KIND_SERVER, ESTIMATED),
        (("*",), (), KIND_SERVER, ESTIMATED),
        (("other",), (), KIND_SERVER, ELSEWHERE),
        ((), ("llm",), KIND_CLIENT, ELSEWHERE),
        ((), ("llm",), KIND_INTERNAL, ELSEWHERE),
        ((), ("llm",), KIND_SERVER, ELSEWHERE),
        (("*",), ("llm",), KIND_SERVER, ELSEWHERE),
        ((), ("other", "LLM"), KIND_CLIENT, ESTIMATED),
    ],
)
@pytest.mark.parametrize("together", [False, True])
def test_settings_and_the_kind_of_a_span_say_whether_it_counts(
    count: tuple[str, ...], passing: tuple[str, ...], kind: int, expected: tuple[str, str], *, together: bool
) -> None:
    enricher = enricher_with(count=count, passing=passing)
    span = span_of("llm", kind=kind)
    outcome = enricher.enrich_together([span])[0] if together else enricher.enrich(span)
    assert result(outcome) == expected
    assert sum(enricher.totals.snapshot().operations.values()) == (expected == ESTIMATED)


@pytest.mark.parametrize("gateway_first", [False, True])
def test_of_a_client_and_its_gateway_the_client_counts_in_any_order(*, gateway_first: bool) -> None:
    client = span_of("shop", 1, times_ms=(0, 20))
    gateway = span_of("gate", 2, parent=1, times_ms=(5, 15))
    enricher = enricher_with(passing=("gate",))
    spans = [gateway, client] if gateway_first else [client, gateway]
    outcomes = dict(
        zip(["gate", "shop"] if gateway_first else ["shop", "gate"], map(enricher.enrich, spans), strict=True)
    )
    assert (result(outcomes["shop"]), result(outcomes["gate"])) == (ESTIMATED, ELSEWHERE)


@pytest.mark.parametrize("order", [(2, 1, 0), (0, 1, 2), (1, 0, 2), (1, 2, 0)], ids=str)
@pytest.mark.parametrize("kind", [KIND_CLIENT, KIND_SERVER])
def test_what_a_relay_lies_between_is_one_call_unless_the_relay_comes_last(order: tuple[int, ...], kind: int) -> None:
    client = span_of("shop", 1, times_ms=(0, 30))
    relay = span_of("gate", 2, kind, parent=1, times_ms=(2, 28))
    upstream = span_of("farm", 3, parent=2, times_ms=(5, 25))
    passing = ("gate",) if kind == KIND_CLIENT else ()
    enricher, spans = enricher_with(passing=passing), [client, relay, upstream]
    outcomes = {i: result(enricher.enrich(spans[i])) for i in order}
    assert outcomes[1] == ELSEWHERE
    assert sorted(outcomes[i][0] for i in (0, 2)) == [ours.STATUS_DUPLICATE, ours.STATUS_ESTIMATED]
    assert statuses(enricher_with(passing=passing), spans) == [DUPLICATE, DUPLICATE, ours.STATUS_ESTIMATED]


def test_a_tool_between_two_calls_still_tells_them_apart_when_a_relay_is_between_too() -> None:
    client = span_of("shop", 1, times_ms=(0, 40))
    tool = span_of("shop", 2, more={"gen_ai.operation.name": "execute_tool"}, parent=1, times_ms=(1, 39))
    relay = span_of("gate", 3, parent=2, times_ms=(2, 38))
    upstream = span_of("farm", 4, parent=3, times_ms=(5, 25))
    judged = statuses(enricher_with(passing=("gate",)), [client, tool, relay, upstream])
    assert judged == [ours.STATUS_ESTIMATED, "", DUPLICATE, ours.STATUS_ESTIMATED]


def test_sums_and_other_steps_of_a_gateway_are_what_they_are() -> None:
    enricher = enricher_with(passing=("gate",))
    workflow = span_of("gate", 1, more={"gen_ai.operation.name": "invoke_workflow"})
    tool = span_of("gate", 2, more={"gen_ai.operation.name": "execute_tool"})
    assert result(enricher.enrich(workflow)) == (ours.STATUS_AGGREGATE, reasons.AGGREGATE_OPERATION)
    assert result(enricher.enrich(tool)) == ("", "")


def enriched_by_gateway() -> SpanView:
    """A span of a gateway that runs otel-carbon itself, and estimated its call."""
    return span_of("gate", 2, more={ours.STATUS: ours.STATUS_ESTIMATED, "gen_ai.response.id": "resp-1"})


def test_what_a_gateway_estimated_itself_is_not_booked_here_where_its_clients_count() -> None:
    enricher = enricher_with(passing=("gate",), already_enriched="count")
    client = span_of("shop", 1, more={"gen_ai.response.id": "resp-1"})
    assert result(enricher.enrich(enriched_by_gateway())) == ("", "")  # it stays as its emitter wrote it
    assert result(enricher.enrich(client)) == ESTIMATED
    assert sum(enricher.totals.snapshot().operations.values()) == 1


def test_where_an_emitter_is_trusted_its_gateway_has_counted_the_call() -> None:
    enricher = enricher_with(passing=("gate",), already_enriched="trust")
    client = span_of("shop", 1, more={"gen_ai.response.id": "resp-1"})
    assert result(enricher.enrich(enriched_by_gateway())) == ("", "")
    assert result(enricher.enrich(client)) == (ours.STATUS_DUPLICATE, reasons.SAME_RESPONSE_ID)


def test_one_fault_in_a_batch_leaves_the_other_calls_booked(monkeypatch: pytest.MonkeyPatch) -> None:
    enricher = enricher_with()
    inference = enricher._inference

    def fail_for_the_first(observation: Any, verdict: Any) -> Outcome:
        if observation.candidate.span_id == (1).to_bytes(8, "big"):
            raise ZeroDivisionError
        return inference(observation, verdict)

    monkeypatch.setattr(enricher, "_inference", fail_for_the_first)
    with pytest.raises(ZeroDivisionError):
        enricher.enrich_together(
            [span_of("shop", number, more={"gen_ai.response.id": f"r{number}"}) for number in (1, 2, 3)]
        )
    assert sum(enricher.totals.snapshot().operations.values()) == 2


@pytest.mark.parametrize("key", ["chat-prod", "az.ai.openai/chat-prod", "azure.ai.openai/chat-prod", "Azure/chat-prod"])
def test_a_deployment_is_found_by_any_spelling_of_its_provider(key: str) -> None:
    enricher = Enricher(Registry.bundled(), EnrichSettings(models={key: "gpt-4o", "openai/chat-prod": "gpt-4o-mini"}))
    names = {"gen_ai.provider.name": "azure.ai.openai", "gen_ai.request.model": "chat-prod", "cloud.region": "eastus"}
    outcome = enricher.enrich(call_span(1, names))
    assert outcome is not None
    assert outcome.reading.profile.model == "gpt-4o"
    assert str(outcome.attributes(full=False)[ours.COEFFICIENT_ID]).startswith("energy/openai/gpt-4o@")


def test_a_profile_of_bedrock_is_mapped_by_its_arn() -> None:
    arn = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3d4e5f6"
    enricher = Enricher(Registry.bundled(), EnrichSettings(models={arn: "claude-sonnet-4-5"}))
    span = call_span(1, {"gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": arn})
    outcome = enricher.enrich(span)
    assert outcome is not None
    assert outcome.reading.profile.model == "claude-sonnet-4-5"
