"""The main job, with real parts only: real calls in, an enriched span for each and totals that are right once.

Three applications call a real model server through real SDKs under the official instrumentation. Two of them
carry our span processor, once before and once after their exporting one; the third carries nothing of ours. All
send their spans through our collector to a collector that is not ours. A real Prometheus scrapes every one of them.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from otel_carbon import Footprint, TokenUsage, estimate
from tests.support.client_app import CallTokens, ClientAppSettings, running_client_app, sum_tokens
from tests.support.collector_process import running_collector
from tests.support.metered_calls import ANTHROPIC_CALLS, OPENAI_CALLS, MeteredCall, make_metered_call, tokens_on
from tests.support.prometheus_server import running_prometheus
from tests.support.third_party_receiver import running_third_party_receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.client_app import CarbonPosition, ClientApp, Protocol
    from tests.support.collector_process import RunningCollector
    from tests.support.model_server import ModelServer
    from tests.support.otlp_sink import ReceivedSpan
    from tests.support.prometheus_server import PrometheusServer

JOULES_PER_KWH = 3_600_000

# Who should book the calls of each application: the job that Prometheus scrapes, by service name.
BOOKED_BY = {
    "processor-first": "processor-first",
    "processor-last": "processor-last",
    "no-processor": "collector",
}
APPLICATIONS: dict[str, tuple[CarbonPosition, Protocol]] = {
    "processor-first": ("before_exporter", "http"),
    "processor-last": ("after_exporter", "grpc"),
    "no-processor": ("none", "http"),
}
CALL_NAMES = OPENAI_CALLS + ANTHROPIC_CALLS
SPANS_PER_APPLICATION = len(OPENAI_CALLS) + 2 * len(ANTHROPIC_CALLS)


@dataclass(frozen=True, slots=True)
class TracedCall:
    """One call with every span that tells of it, as they arrived at the collector that is not ours."""

    metered: MeteredCall
    spans: list[ReceivedSpan]

    @property
    def verdicts(self) -> list[tuple[object, object]]:
        """Status and reason of the spans that stand for the call: all but its duplicates."""
        verdicts = [
            (span.attributes["otel_carbon.status"], span.attributes.get("otel_carbon.reason")) for span in self.spans
        ]
        return [verdict for verdict in verdicts if verdict[0] != "duplicate"]

    @property
    def expected_footprint(self) -> Footprint:
        """What `estimate` says of the tokens that the server counted, on the day of the call."""
        tokens = self.metered.server_tokens
        began = datetime.fromtimestamp(min(span.span.start_time_unix_nano for span in self.spans) / 1e9, tz=UTC)
        # The provider attribute names the API dialect; the answer came from loopback, so the hardware is our own.
        result = estimate(
            TokenUsage(
                provider="self_hosted",
                model="smollm2-135m",
                input_tokens=tokens.input,
                output_tokens=tokens.output,
                cache_read_tokens=tokens.cache_read,
                at=began.date(),
            )
        )
        assert isinstance(result, Footprint)
        return result


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that happened: the calls of each application, and a Prometheus that scraped all there is."""

    calls: dict[str, list[TracedCall]]
    prometheus: PrometheusServer

    def all_calls(self) -> list[TracedCall]:
        return [call for calls in self.calls.values() for call in calls]

    def estimated(self, service: str | None = None) -> list[TracedCall]:
        calls = self.all_calls() if service is None else self.calls[service]
        return [call for call in calls if call.metered.reported.usage]

    def total(self, metric: str, **labels: str) -> float:
        """Sum of a metric over everything Prometheus scraped, or over the series with these labels."""
        selector = ",".join(f'{name}="{value}"' for name, value in labels.items())
        value = self.prometheus.value(f"sum({metric}{{{selector}}})")
        assert value is not None, f"Prometheus knows no {metric} with {labels}"
        return value


@pytest.fixture(scope="module")
def job(model_server: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    folder = tmp_path_factory.mktemp("main_job")
    with ExitStack() as stack:
        receiver = stack.enter_context(running_third_party_receiver(folder))
        collector = stack.enter_context(running_collector(folder, receiver.http_endpoint))
        prometheus = stack.enter_context(running_prometheus(folder))
        apps = {
            service: stack.enter_context(running_client_app(settings, folder))
            for service, settings in application_settings(model_server, collector).items()
        }
        targets = {service: app.metrics_target() for service, app in apps.items()}
        prometheus.scrape({**targets, "collector": collector.metrics_target})

        metered = {service: make_calls(app, model_server) for service, app in apps.items()}
        spans = receiver.sink.wait_for_spans(SPANS_PER_APPLICATION * len(apps))
        prometheus.wait_for_fresh_scrape()
        calls = {service: traced_calls(metered[service], spans, service) for service in apps}
        yield Job(calls, prometheus)
        assert len(receiver.sink.spans()) == SPANS_PER_APPLICATION * len(apps)


def application_settings(model_server: ModelServer, collector: RunningCollector) -> dict[str, ClientAppSettings]:
    endpoints = {"http": collector.http_endpoint, "grpc": collector.grpc_endpoint}
    return {
        service: ClientAppSettings(
            model_url=model_server.url,
            otlp_endpoint=endpoints[protocol],
            otlp_protocol=protocol,
            carbon=position,
            service_name=service,
        )
        for service, (position, protocol) in APPLICATIONS.items()
    }


def make_calls(app: ClientApp, model_server: ModelServer) -> list[MeteredCall]:
    calls = [make_metered_call(app, model_server, name) for name in CALL_NAMES]
    app.export()
    return calls


def traced_calls(metered: list[MeteredCall], spans: list[ReceivedSpan], service: str) -> list[TracedCall]:
    """Each call is a trace of its own, and they were made one after the other."""
    traces: dict[bytes, list[ReceivedSpan]] = {}
    for span in spans:
        if span.resource["service.name"] == service:
            traces.setdefault(span.span.trace_id, []).append(span)
    in_order = sorted(traces.values(), key=lambda trace: min(span.span.start_time_unix_nano for span in trace))
    return [TracedCall(call, trace) for call, trace in zip(metered, in_order, strict=True)]


every_application = pytest.mark.parametrize("service", APPLICATIONS)


@every_application
def test_token_counts_on_spans_equal_the_servers_own_counters(job: Job, service: str) -> None:
    estimated = job.estimated(service)

    assert len(estimated) == len(CALL_NAMES) - 3
    for call in estimated:
        assert {tokens_on(span) for span in call.spans} == {call.metered.server_tokens}, call.metered


@every_application
def test_each_call_has_exactly_one_verdict_and_its_twins_are_duplicates(job: Job, service: str) -> None:
    expected = {
        "openai_stream_without_usage": ("unestimated", "no_usage"),
        "openai_refused": ("unestimated", "failed_no_usage"),
        "anthropic_refused": ("unestimated", "failed_no_usage"),
    }
    for call in job.calls[service]:
        name = call.metered.reported.call
        assert call.verdicts == [expected.get(name, ("estimated", None))], name
        assert len(call.spans) == (2 if name in ANTHROPIC_CALLS else 1), name


AMOUNTS: dict[str, Callable[[Footprint], float]] = {
    "otel_carbon.energy_kwh": lambda footprint: footprint.energy_kwh.mid,
    "otel_carbon.energy_kwh_low": lambda footprint: footprint.energy_kwh.low,
    "otel_carbon.energy_kwh_high": lambda footprint: footprint.energy_kwh.high,
    "otel_carbon.emissions_gco2e": lambda footprint: footprint.emissions_gco2e.mid,
    "otel_carbon.emissions_gco2e_low": lambda footprint: footprint.emissions_gco2e.low,
    "otel_carbon.emissions_gco2e_high": lambda footprint: footprint.emissions_gco2e.high,
    "otel_carbon.water_l": lambda footprint: footprint.water_l.mid,
}


@every_application
def test_amounts_on_estimated_spans_are_what_estimate_says_of_those_tokens(job: Job, service: str) -> None:
    for call in job.estimated(service):
        (attributes,) = [span.attributes for span in call.spans if span.attributes["otel_carbon.status"] == "estimated"]
        footprint = call.expected_footprint
        for name, amount_of in AMOUNTS.items():
            amount = attributes[name]
            assert isinstance(amount, float)
            assert math.isclose(amount, amount_of(footprint), rel_tol=1e-12, abs_tol=0.0), (name, call.metered)
            assert amount > 0.0
        assert attributes["otel_carbon.coefficient_id"] == footprint.provenance.coefficient_id
        assert attributes["otel_carbon.grid_id"] == footprint.provenance.grid_id
        assert attributes["otel_carbon.registry_version"] == footprint.provenance.registry_version


@every_application
def test_no_span_without_an_estimate_carries_an_amount(job: Job, service: str) -> None:
    others = [
        span.attributes
        for call in job.calls[service]
        for span in call.spans
        if span.attributes["otel_carbon.status"] != "estimated"
    ]

    # One twin for each anthropic call, a stream without usage, a refused openai call, a refused anthropic call.
    assert len(others) == len(ANTHROPIC_CALLS) + 3
    assert [name for attributes in others for name in AMOUNTS if name in attributes] == []


TOTALS: dict[str, Callable[[Footprint], float]] = {
    "otel_carbon_energy_joules_total": lambda footprint: footprint.energy_kwh.mid * JOULES_PER_KWH,
    "otel_carbon_energy_low_joules_total": lambda footprint: footprint.energy_kwh.low * JOULES_PER_KWH,
    "otel_carbon_energy_high_joules_total": lambda footprint: footprint.energy_kwh.high * JOULES_PER_KWH,
    "otel_carbon_emissions_grams_total": lambda footprint: footprint.emissions_gco2e.mid,
    "otel_carbon_emissions_low_grams_total": lambda footprint: footprint.emissions_gco2e.low,
    "otel_carbon_emissions_high_grams_total": lambda footprint: footprint.emissions_gco2e.high,
    "otel_carbon_water_L_total": lambda footprint: footprint.water_l.mid,
}


@pytest.mark.parametrize("metric", TOTALS)
def test_totals_over_every_hop_are_the_sum_over_distinct_calls(job: Job, metric: str) -> None:
    expected = math.fsum(TOTALS[metric](call.expected_footprint) for call in job.estimated())

    assert math.isclose(job.total(metric), expected, rel_tol=1e-9, abs_tol=0.0)


@every_application
def test_the_calls_of_an_application_are_booked_by_one_hop_only(job: Job, service: str) -> None:
    metric = "otel_carbon_emissions_grams_total"
    expected = math.fsum(call.expected_footprint.emissions_gco2e.mid for call in job.estimated(service))

    assert math.isclose(job.total(metric, job=BOOKED_BY[service]), expected, rel_tol=1e-9, abs_tol=0.0)


def test_an_application_without_our_processor_serves_none_of_our_metrics(job: Job) -> None:
    assert job.prometheus.query('{__name__=~"otel_carbon_.+",job="no-processor"}') == []
    assert job.prometheus.value('up{job="no-processor"}') == 1.0


def test_token_totals_over_every_hop_equal_the_servers_own_counters(job: Job) -> None:
    def tokens(*kinds: str) -> float:
        return sum(job.total("otel_carbon_tokens_total", otel_carbon_token_type=kind) for kind in kinds)

    server = sum_tokens([call.metered.server_tokens for call in job.estimated()])
    assert (
        CallTokens(
            input=int(tokens("input_uncached", "cache_read")),
            cache_read=int(tokens("cache_read")),
            output=int(tokens("output_visible")),
        )
        == server
    )
    assert job.total("otel_carbon_tokens_total") == server.input + server.output


def test_operations_over_every_hop_count_each_call_once(job: Job) -> None:
    applications = len(APPLICATIONS)

    assert job.total("otel_carbon_operations_total") == len(CALL_NAMES) * applications
    by_verdict = {
        (sample.labels["otel_carbon_status"], sample.labels.get("otel_carbon_reason", "")): sample.value
        for sample in job.prometheus.query(
            "sum by (otel_carbon_status, otel_carbon_reason) (otel_carbon_operations_total)"
        )
    }
    assert by_verdict == {
        ("estimated", ""): (len(CALL_NAMES) - 3) * applications,
        ("unestimated", "no_usage"): 1 * applications,
        ("unestimated", "failed_no_usage"): 2 * applications,
    }
