"""Each code by the one fact that makes it, beside an environment and a run in which nothing is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from otel_carbon.doctor.checks.losses import delegate_from_description
from otel_carbon.doctor.examine import findings_of
from otel_carbon.doctor.findings import finding_kinds
from otel_carbon.doctor.observations import (
    OverlapRow,
    Probe,
)
from tests.unit.doctor.cases import (
    CALL,
    CAPTURE,
    ENDPOINT,
    HTTP,
    PROVIDER,
    REPORT,
    RUN,
    SCOPE,
    STATIC,
    ran,
    ran_with,
    static,
    told,
    with_call,
    with_provider,
)
from tests.unit.doctor.wrong_facts import (
    FOUND,
    OUT,
    ended,
    registry,
)

if TYPE_CHECKING:
    from otel_carbon.doctor.observations import Examined


@pytest.mark.parametrize(
    ("code", "examined", "evidence", "advice"), FOUND, ids=[f"{each[0]}-{at}" for at, each in enumerate(FOUND)]
)
def test_one_wrong_fact_makes_one_finding(code: str, examined: Examined, evidence: str, advice: str) -> None:
    found = findings_of(examined)
    assert [each.code for each in found] == [code], found
    assert evidence in "\n".join(found[0].evidence)
    assert advice in found[0].advice


def test_every_code_has_its_case() -> None:
    assert {code for code, *_ in FOUND} == set(finding_kinds())


WELL: dict[str, Examined] = {
    "an environment": STATIC,
    "a run": RUN,
    "a run without telemetry": ran(clients=(), calls=(), providers=(), provider_set=False, instrumentors=()),
    "a client that captures cover": static(instrumentations=(CAPTURE,)),
    "calls that the capture reports": ran_with(
        {"instrumentations": (CAPTURE,)},
        captures=True,
        instrumentors=(),
        calls=(replace(CALL, scope="otel_carbon.capture"),),
    ),
    "calls that a framework reports": ran(instrumentors=(), calls=(replace(CALL, scope="langfuse"),)),
    "a capture switched off beside an instrumentation": told({"OTEL_CARBON_CAPTURE": "false"}),
    "an instrumentation of another client left out": told({OUT: "anthropic"}),
    "a client that traces itself": static(instrumentations=(), packages={"anthropic": "2.12.0"}),
    "a package that instruments when it is started": static(
        instrumentations=(), packages={"openai": "3.54.0", "logfire": "5.4.0"}
    ),
    "a global provider that no call passes": ran(
        providers=(PROVIDER, replace(PROVIDER, carbon=False, with_calls=False))
    ),
    "our sampler": with_provider(sampler="CarbonSampler{TraceIdRatioBased{0.1}}"),
    "a full ratio": told({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1.0"}),
    "no ratio": told({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "much"}),
    "no exporter wanted": static(
        variables={"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}, trace_exporters=()
    ),
    "a limit that suffices": told({"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "64"}),
    "an endpoint that has ended with the application": replace(RUN, probes=(Probe(ENDPOINT, HTTP, "refused"),)),
    "a clock a little off": replace(RUN, probes=(Probe(ENDPOINT, HTTP, "", 59.0),)),
    "a configured provider by another name": ran_with({"regions": {"OpenAI": "eastus"}}),
    "a nested span of one scope": ran(overlaps=(OverlapRow(SCOPE, SCOPE, "counted_descendant"),)),
    "a failed call without usage": with_call(status="unestimated", reason="failed_no_usage", match=""),
    "a cache hit": with_call(status="unestimated", reason="cache_hit", match=""),
    "a grid table that holds": static(registry=registry(grid_table="g", grid_until="2026-11-27T00:00:00+00:00")),
}


@pytest.mark.parametrize("name", WELL)
def test_nothing_is_found_where_nothing_is_wrong(name: str) -> None:
    assert findings_of(WELL[name]) == []


@pytest.mark.parametrize(
    ("description", "delegate"),
    [
        ("AlwaysOnSampler", ""),
        ("AlwaysOffSampler", "always_off"),
        ("TraceIdRatioBased{0.5}", "traceidratio:0.5"),
        ("TraceIdRatioBased{1.0}", ""),
        ("ParentBased{root:AlwaysOffSampler,remoteParentSampled:AlwaysOnSampler}", "parentbased_always_off"),
        ("ParentBased{root:TraceIdRatioBased{1e-05},remoteParentSampled:A}", "parentbased_traceidratio:1e-05"),
        ("SomebodysSampler{7}", ""),
    ],
)
def test_a_sampler_is_named_as_ours_takes_it(description: str, delegate: str) -> None:
    assert delegate_from_description(description) == delegate


@pytest.mark.parametrize(
    ("command", "evidence"),
    [
        (("python3", "-I", "app.py"), "-I keeps Python"),
        (("/usr/bin/python3.11", "-bE", "app.py"), "-bE keeps Python"),
        (("python", "-c", "-I"), "it starts no Python"),
        (("python", "-m", "app", "-S"), "it starts no Python"),
        (("node", "-I"), "it starts no Python"),
        (("env", "-i", "python", "app.py"), "it starts no Python"),
    ],
)
def test_options_that_keep_the_observer_out_are_named(command: tuple[str, ...], evidence: str) -> None:
    (found,) = findings_of(replace(ended(0, command=command), reports=()))
    assert (found.code, found.evidence[0][: len(evidence)]) == ("not_observed", evidence)


def test_names_of_others_cannot_speak_to_a_shell() -> None:
    hostile = "x; touch /tmp/y $(z)"
    (model,) = findings_of(with_call(model=hostile, match="generic"))
    assert model.advice.startswith("OTEL_CARBON_MODELS='x; touch /tmp/y $(z)=")
    *_, place = findings_of(with_call(provider=hostile, operator=hostile, region="USA", region_evidence="default"))
    assert place.advice == "OTEL_CARBON_REGION='openai=eastus,x; touch /tmp/y $(z)=REGION'"
    (failed,) = findings_of(ended(1, command=("python", "-c", "a b")))
    assert failed.advice == "python -c 'a b' # run it alone first"


def test_several_processes_are_taken_together() -> None:
    master = replace(REPORT, pid=1, calls=(), providers=(), instrumentors=(), spans=0)
    assert findings_of(replace(RUN, reports=(master, REPORT, replace(REPORT, pid=8)))) == []
