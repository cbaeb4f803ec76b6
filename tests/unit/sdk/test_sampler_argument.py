from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import pytest
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanKind

from otel_carbon.sdk import sampler as sampler_module
from otel_carbon.sdk.sampler import sampler_from_argument


class Theirs(Sampler):
    """A sampler of another package."""

    def should_sample(self, *_arguments: Any) -> SamplingResult:
        return SamplingResult(Decision.DROP)

    def get_description(self) -> str:
        return "Theirs"


def recorded_kinds(sampler: Sampler) -> set[SpanKind]:
    """The kinds of spans without attributes that are recorded without being sampled."""
    results = {kind: sampler.should_sample(None, 1, "call", kind) for kind in SpanKind}
    return {kind for kind, result in results.items() if result.decision is Decision.RECORD_ONLY}


@pytest.mark.parametrize(
    ("argument", "description"),
    [
        (None, "ParentBased{root:AlwaysOnSampler,"),
        ("", "ParentBased{root:AlwaysOnSampler,"),
        ("always_off", "AlwaysOffSampler}"),
        ("traceidratio:0.25", "TraceIdRatioBased{0.25}"),
        (" parentbased_traceidratio : 0.1 ; kinds=client", "ParentBased{root:TraceIdRatioBased{0.1},"),
        ("parentbased_always_off;", "ParentBased{root:AlwaysOffSampler,"),
    ],
)
def test_the_argument_names_the_delegate_as_the_environment_would(argument: str | None, description: str) -> None:
    assert sampler_from_argument(argument).get_description().startswith(f"CarbonSampler{{{description}")


@pytest.mark.parametrize(
    ("options", "recorded"),
    [
        ("", {SpanKind.CLIENT, SpanKind.INTERNAL}),
        (";kinds=all", set(SpanKind)),
        (";kinds=client", {SpanKind.CLIENT}),
        ("; kinds = Client, server ", {SpanKind.CLIENT, SpanKind.SERVER}),
        (";kinds=", set()),
    ],
)
def test_the_argument_may_choose_the_kinds(options: str, recorded: set[SpanKind]) -> None:
    assert recorded_kinds(sampler_from_argument(f"always_off{options}")) == recorded


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("xray", "no sampler 'xray'; the built-in ones are always_on, always_off, parentbased_always_on, "),
        ("otel_carbon", "no sampler 'otel_carbon'"),  # which would wrap itself
        ("always_on:1", "the sampler always_on takes no argument; got '1'"),
        ("traceidratio", "the sampler traceidratio needs a probability from 0 to 1, as in traceidratio:0.1; got ''"),
        ("parentbased_traceidratio:10", "parentbased_traceidratio needs a probability from 0 to 1"),
        ("always_on;kinds=web", "expected kinds=all or kinds=KIND,... of internal, server, client, producer, consumer"),
        ("always_on;sort=all", "got 'sort=all'"),
    ],
)
def test_a_mistake_in_the_argument_is_named(argument: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"no sampler|takes no|needs a|expected") as raised:
        sampler_from_argument(argument)
    assert message in str(raised.value)


class OfAnotherPackage:
    """An entry point as another package would bring it."""

    def __init__(self, made: Any) -> None:
        self._made = made
        self.asked: list[Any] = []

    def load(self) -> Any:
        def factory(argument: Any) -> Any:
            self.asked.append(argument)
            return self._made

        return factory


def test_samplers_of_other_packages_get_their_argument_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    another_package = OfAnotherPackage(Theirs())
    monkeypatch.setattr(sampler_module, "entry_points", lambda **_query: [another_package])
    sampler = sampler_from_argument("xray:endpoint=http://localhost:2000,polling_interval=60;kinds=client")
    assert sampler.get_description() == "CarbonSampler{Theirs}"
    assert another_package.asked == ["endpoint=http://localhost:2000,polling_interval=60"]


def test_what_is_no_sampler_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler_module, "entry_points", lambda **_query: [OfAnotherPackage("nonsense")])
    with pytest.raises(TypeError, match="what is called theirs is no sampler"):
        sampler_from_argument("theirs")


def test_the_loader_of_the_sdk_finds_the_sampler_by_name() -> None:
    [found] = entry_points(group="opentelemetry_traces_sampler", name="otel_carbon")
    assert found.load() is sampler_from_argument
