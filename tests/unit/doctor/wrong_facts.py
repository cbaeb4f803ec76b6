"""The one wrong fact that makes each finding, beside an environment and a run in which nothing is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from otel_carbon.doctor.facts import RegistryFacts, WrongRegion, WrongSetting
from otel_carbon.doctor.observations import (
    CallRow,
    CommandOutcome,
    ExporterFacts,
    InstrumentorFacts,
    LoadFailure,
    OverlapRow,
    Probe,
    ProcessReport,
)
from tests.unit.doctor.cases import (
    CALL,
    CAPTURE,
    CARBON,
    ENDPOINT,
    ENVIRONMENT,
    HTTP,
    NOW,
    OPENAI,
    PROVIDER,
    REPORT,
    RUN,
    SCOPE,
    ran,
    ran_with,
    static,
    told,
    with_call,
    with_exporter,
    with_provider,
)

if TYPE_CHECKING:
    from otel_carbon.doctor.observations import Examined

ANTHROPIC_SCOPE = "opentelemetry.instrumentation.genai.anthropic"
OPENINFERENCE = "openinference.instrumentation.openai"
SECOND = replace(OPENAI, module=OPENINFERENCE, distribution="openinference-instrumentation-openai", version="0.1.66")
THIRD = replace(SECOND, name="openinference_openai")
CONFLICT = replace(OPENAI, required="openai<3,>=1.26", found="openai 3.54.0")
BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
TOO_OLD = replace(
    CONFLICT, distribution="opentelemetry-instrumentation-openai-v2", required="openai>=1.26.0", found="openai 0.28.0"
)
OUT = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
UNSEEN = {"calls": (), "instrumentors": ()}
"""What a process tells whose client nothing reports."""
DISABLED_CARBON = {"variables": {"OTEL_CARBON_DISABLED": "true"}}


METRICS = "http://metrics:9/v1/metrics"
ENDPOINT_LINES: tuple[tuple[str, dict[str, str], str], ...] = (
    (ENDPOINT, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, f"{BASE}=http://HOST:PORT # "),
    (
        ENDPOINT,
        {BASE: "http://127.0.0.1:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": ENDPOINT},
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://HOST:PORT/v1/traces # ",
    ),
    (
        METRICS,
        {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": METRICS},
        'OTLPSpanExporter(endpoint="http://HOST:PORT") # in code; ',
    ),
    ("http://localhost:4318/v1/traces", {}, f"{BASE}=http://HOST:PORT # "),
    ("http://collector:9/v1/traces", {"OTEL_CONFIG_FILE": "otel.yaml"}, "endpoint: http://HOST:PORT # in otel.yaml; "),
)


def registry(**changed: str) -> RegistryFacts:
    return replace(ENVIRONMENT.registry, **changed)


def ended(exit_code: int, *, stopped: bool = False, command: tuple[str, ...] = ("python", "app.py")) -> Examined:
    return replace(RUN, outcome=CommandOutcome(command, exit_code, stopped))


def probed(problem: str = "", clock_ahead_s: float | None = None, endpoint: str = ENDPOINT) -> Examined:
    return replace(
        with_exporter(delivered=0, endpoint=endpoint), probes=(Probe(endpoint, HTTP, problem, clock_ahead_s),)
    )


FOUND: list[tuple[str, Examined, str, str]] = [
    ("carbon_disabled", told({"OTEL_CARBON_DISABLED": "1"}), "OTEL_CARBON_DISABLED=1", "unset OTEL_CARBON_DISABLED"),
    ("carbon_disabled", ran_with(DISABLED_CARBON, providers=(replace(PROVIDER, carbon=False),)), "=true", ""),
    ("sdk_disabled", told({"OTEL_SDK_DISABLED": "true"}), "OTEL_SDK_DISABLED=true", "unset OTEL_SDK_DISABLED"),
    ("carbon_instrumentor_disabled", told({OUT: "otel_carbon,flask"}), f"{OUT}=otel_carbon,flask", f"{OUT}=flask"),
    ("instrumentation_disabled", told({OUT: "openai , flask"}), "openai 3.54.0", f"{OUT}=flask"),
    (
        "setting_invalid",
        static(wrong_settings=(WrongSetting("OTEL_CARBON_STRICT", "'maybe' is neither", "OTEL_CARBON_STRICT=false"),)),
        "OTEL_CARBON_STRICT: 'maybe' is neither",
        "OTEL_CARBON_STRICT=false",
    ),
    ("config_file_unusable", static(config_problem="otel.yaml: Is a directory"), "otel.yaml: Is a directory", ""),
    (
        "config_file_unusable",
        static(config_problem="OTEL_CONFIG_FILE is set and opentelemetry-configuration is not installed"),
        "is not installed",
        "pip install opentelemetry-configuration",
    ),
    (
        "registry_overlay_unusable",
        static(registry=registry(overlay="f.json", overlay_problem="no JSON")),
        "no JSON",
        "",
    ),
    ("grid_table_unusable", static(registry=registry(grid_table="g.csv", grid_problem="g.csv:3: bad")), "g.csv:3", ""),
    (
        "grid_table_stale",
        static(registry=registry(grid_table="g.csv", grid_until="2026-11-25T00:00:00+00:00")),
        "g.csv ends at 2026-11-25",
        "",
    ),
    ("registry_old", static(registry=registry(released="2025-10")), "made in 2025-10", ""),
    (
        "clock_skewed",
        static(registry=registry(released="2026-12")),
        "2026-11-26 here, before the registry of 2026-12",
        "",
    ),
    ("clock_skewed", probed(clock_ahead_s=-3600.0), f"3600 s behind the Date of {ENDPOINT}", ""),
    ("clock_skewed", ran(written_file_at_s=NOW.timestamp() - 120), "120 s ahead of the file system", ""),
    ("spans_in_future", ran(in_future=2, most_in_future_s=90.0), "2 spans, up to 90 s ahead", ""),
    (
        "carbon_not_installed",
        replace(RUN, reports=(ProcessReport(python="/p", problem="none"),)),
        "/p: none",
        "/p -m pip",
    ),
    ("distro_missing", static(configurators=()), "opentelemetry-instrumentation 0.66b2", ""),
    (
        "distro_missing",
        ran_with({"configurators": ()}, provider_set=False, providers=(), **UNSEEN),
        "no entry point",
        "",
    ),
    (
        "exporter_missing",
        static(trace_exporters=("console",)),
        "no exporter otlp_proto_http",
        "pip install opentelemetry-exporter-otlp-proto-http",
    ),
    ("exporter_missing", told({"OTEL_TRACES_EXPORTER": "otlp,mine"}), "no exporter mine", "pip install mine"),
    (
        "exporter_protocol_mismatch",
        probed(endpoint="localhost:4317"),
        "localhost:4317 over http/protobuf",
        "PROTOCOL=grpc",
    ),
    (
        "exporter_protocol_mismatch",
        replace(
            probed(endpoint="localhost:4317"),
            environment=replace(ENVIRONMENT, variables={"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": HTTP}),
        ),
        "localhost:4317 over http/protobuf",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc",
    ),
    (
        "exporter_unreachable",
        probed("refused"),
        f"{ENDPOINT} over http/protobuf: refused",
        'OTLPSpanExporter(endpoint="http://HOST:PORT/v1/traces") # in code; where a collector listens; it is http',
    ),
    *(
        (
            "exporter_unreachable",
            replace(probed("refused", endpoint=endpoint), environment=replace(ENVIRONMENT, variables=variables)),
            f"{endpoint} over http/protobuf: refused",
            f"{line}where a collector listens; it is {endpoint} now",
        )
        for endpoint, variables, line in ENDPOINT_LINES
    ),
    (
        "exporter_unreachable",
        replace(
            ran(metric_exporters=(ExporterFacts("otlp.OTLPMetricExporter", METRICS, HTTP, failed=1),)),
            probes=(Probe(METRICS, HTTP, "refused"),),
        ),
        f"{METRICS} over http/protobuf: refused",
        'OTLPMetricExporter(endpoint="http://HOST:PORT/v1/metrics") # in code',
    ),
    ("exporter_failing", with_exporter(failed=2), "2 batches failed, 1 arrived", f"it is {ENDPOINT} now"),
    (
        "exporter_failing",
        ran(metric_exporters=(ExporterFacts("mine.MetricExporter", failed=1),)),
        "mine.MetricExporter: 1 batch failed, 0 arrived",
        "the exporter itself",
    ),
    (
        "instrumentation_unsupported_version",
        static(instrumentations=(CONFLICT,)),
        "installed is openai 3.54.0",
        "pip install 'openai<3,>=1.26'",
    ),
    (
        "instrumentation_unsupported_version",
        static(instrumentations=(replace(CONFLICT, distribution="opentelemetry-instrumentation-openai-v2"),)),
        "opentelemetry-instrumentation-openai-v2 1.3b0 takes openai<3,>=1.26",
        "pip install 'opentelemetry-instrumentation-genai-openai'",
    ),
    (
        "instrumentation_unsupported_version",
        ran(calls=(), instrumentors=(InstrumentorFacts(SCOPE, False, "openai<3", "openai 3.54.0"),)),
        f"{SCOPE} takes openai<3",
        "",
    ),
    (
        "instrumentation_unsupported_version",
        ran_with(
            {"instrumentations": (CONFLICT, CAPTURE)},
            **UNSEEN | {"calls": (replace(CALL, scope="otel_carbon.capture"),)},
        ),
        "takes openai<3",
        "",
    ),
    (
        "client_uninstrumented",
        static(instrumentations=(CARBON,)),
        "openai 3.54.0",
        "pip install opentelemetry-instrumentation-genai-openai",
    ),
    (
        "client_uninstrumented",
        ran(**UNSEEN),
        "opentelemetry-instrumentation-genai-openai 1.3b0 is installed and not active",
        f"from {SCOPE} import OpenAIInstrumentor; OpenAIInstrumentor().instrument()",
    ),
    (
        "client_uninstrumented",
        ran(automatic=False, **UNSEEN),
        "opentelemetry-instrumentation-genai-openai 1.3b0 is installed and not active",
        f"from {SCOPE} import OpenAIInstrumentor; OpenAIInstrumentor().instrument()",
    ),
    (
        "capture_disabled",
        ran_with({"instrumentations": (CAPTURE,)}, automatic=False, **UNSEEN),
        "does not switch the capture on",
        "otel_carbon.instrument() # without capture=False",
    ),
    (
        "capture_disabled",
        ran_with({"instrumentations": (OPENAI, CAPTURE)}, automatic=False, **UNSEEN),
        "does not switch the capture on",
        "otel_carbon.instrument() # without capture=False",
    ),
    (
        "http_client_not_captured",
        ran(not_captured=("aiohttp 2.0",)),
        "aiohttp 2.0",
        "pip install --upgrade otel-carbon",
    ),
    ("provider_too_late", ran(lost_before_provider={SCOPE: 2}, **UNSEEN), f"{SCOPE}: 2 lost", ""),
    (
        "config_file_unusable",
        ran_with({"config_problem": "otel.yaml: Is a directory", "instrumentations": ()}, **UNSEEN),
        "otel.yaml: Is a directory",
        "",
    ),
    (
        "instrumentation_unsupported_version",
        static(instrumentations=(TOO_OLD,), packages={"openai": "0.28.0"}),
        "which is too old",
        "pip install 'openai>=1.26.0'",
    ),
    (
        "client_uninstrumented",
        ran_with({"instrumentations": (CAPTURE,)}, **UNSEEN),
        "openai 3.54.0",
        "otel_carbon.instrument()",
    ),
    (
        "capture_disabled",
        told({"OTEL_CARBON_CAPTURE": "off"}, instrumentations=(CAPTURE,)),
        "OTEL_CARBON_CAPTURE=off",
        "unset OTEL_CARBON_CAPTURE",
    ),
    (
        "capture_disabled",
        told({OUT: "otel_carbon_capture,flask"}, instrumentations=(CAPTURE,)),
        f"{OUT}=otel_carbon_capture,flask",
        f"{OUT}=flask",
    ),
    (
        "double_instrumentation",
        static(instrumentations=(OPENAI, SECOND)),
        "openinference-instrumentation-openai 0.1.66",
        "pip uninstall openinference-instrumentation-openai",
    ),
    ("double_instrumentation", static(instrumentations=(OPENAI, THIRD)), "1.3b0", f"{OUT}=openinference_openai"),
    (
        "double_instrumentation",
        ran(overlaps=(OverlapRow(SCOPE, OPENINFERENCE, "same_response_id", 3),)),
        f"{OPENINFERENCE} beside {SCOPE}: 3 spans left uncounted",
        f"remove the instrumentation that writes spans of {OPENINFERENCE}",
    ),
    (
        "double_instrumentation",
        ran(overlaps=(OverlapRow(SCOPE, SCOPE, "same_response_id"),)),
        "1 span left",
        f"{OUT}=openai",
    ),
    (
        "overlapping_spans",
        ran(overlaps=(OverlapRow(SCOPE, "langfuse", "counted_descendant"),)),
        f"langfuse beside {SCOPE}: 1 span left uncounted",
        f"the span that counts is the one of {SCOPE}",
    ),
    (
        "overlapping_spans",
        ran(overlaps=(OverlapRow("com.anthropic.sdk.python", ANTHROPIC_SCOPE, "counted_descendant"),)),
        "com.anthropic.sdk.python",
        "",
    ),
    (
        "entry_point_broken",
        ran(load_failures=(LoadFailure("opentelemetry_instrumentor", "flask", "flask-plug-in", "RuntimeError"),)),
        "flask (opentelemetry_instrumentor) of flask-plug-in: RuntimeError",
        f"{OUT}=flask",
    ),
    (
        "entry_point_broken",
        ran_with(
            {"variables": {OUT: "anthropic"}, "instrumentations": (CAPTURE,)},
            load_failures=(LoadFailure("opentelemetry_instrumentor", "flask", "flask-plug-in", "RuntimeError"),),
            **UNSEEN,
        ),
        "flask (opentelemetry_instrumentor) of flask-plug-in: RuntimeError",
        f"{OUT}=anthropic,flask",
    ),
    (
        "entry_point_broken",
        ran(load_failures=(LoadFailure("opentelemetry_configurator", "theirs", "their-plug-in", "RuntimeError"),)),
        "theirs (opentelemetry_configurator) of their-plug-in: RuntimeError",
        "pip install --force-reinstall their-plug-in",
    ),
    (
        "entry_point_broken",
        static(instrumentations=(replace(OPENAI, import_error="RuntimeError"),)),
        "openai (opentelemetry_instrumentor) of opentelemetry-instrumentation-genai-openai: RuntimeError",
        f"{OUT}=openai",
    ),
    (
        "instrumentation_not_importable",
        static(instrumentations=(replace(OPENAI, import_error="ImportError: httpx"), CAPTURE)),
        "openai of opentelemetry-instrumentation-genai-openai 1.3b0: ImportError: httpx",
        "pip install httpx",
    ),
    *(
        (
            "instrumentation_not_importable",
            static(
                instrumentations=(replace(OPENAI, distribution=distribution, import_error=f"ImportError: {module}"),),
                packages={**ENVIRONMENT.packages, "opentelemetry-util-genai": "1.3b0"},
            ),
            "installed is opentelemetry-util-genai 1.3b0",
            line,
        )
        for module in ("opentelemetry.util.genai", "opentelemetry.util.genai.instruments")
        for distribution, line in (
            (
                "opentelemetry-instrumentation-openai-v2",
                f"pip uninstall opentelemetry-instrumentation-openai-v2 && pip install {OPENAI.distribution}",
            ),
            (OPENAI.distribution, f"pip install --upgrade {OPENAI.distribution} opentelemetry-util-genai"),
        )
    ),
    (
        "instrumentation_not_importable",
        ran_with(
            {"instrumentations": (replace(OPENAI, unmet=("opentelemetry-util-genai<0.5,>=0.4",)), CAPTURE)},
            load_failures=(
                LoadFailure(
                    "opentelemetry_instrumentor",
                    "openai",
                    OPENAI.distribution,
                    "ImportError",
                    "opentelemetry.util.genai",
                ),
            ),
            captures=True,
            instrumentors=(),
            calls=(replace(CALL, scope="otel_carbon.capture"),),
        ),
        "ImportError: opentelemetry.util.genai",
        "pip install 'opentelemetry-util-genai<0.5,>=0.4'",
    ),
    (
        "provider_missing",
        ran(provider_set=False, providers=(), automatic=False, lost_before_provider={SCOPE: 2, "app": 5}, **UNSEEN),
        f"{SCOPE}: 2 lost",
        "opentelemetry-instrument python app.py",
    ),
    (
        "provider_missing",
        replace(RUN, reports=(REPORT, ProcessReport(ended="exit", lost_before_provider={SCOPE: 1}))),
        f"{SCOPE}: 1 lost",
        "",
    ),
    (
        "http_client_not_captured",
        ran(not_captured=("aiohttp 2.0",)),
        "aiohttp 2.0",
        "pip install --upgrade otel-carbon",
    ),
    ("provider_too_late", ran(lost_before_provider={SCOPE: 2, "app": 5}), f"{SCOPE}: 2 lost", ""),
    ("provider_refused", ran(providers_refused=1), "1 of them", ""),
    ("processor_missing", with_provider(carbon=False), "sdk.TracerProvider", "otel_carbon.instrument()"),
    (
        "sampling_loss",
        ran_with(
            {"variables": {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}},
            providers=(replace(PROVIDER, sampler="TraceIdRatioBased{0.1}"),),
        ),
        "TraceIdRatioBased{0.1}",
        "OTEL_TRACES_SAMPLER=otel_carbon OTEL_TRACES_SAMPLER_ARG=traceidratio:0.1",
    ),
    (
        "sampling_loss",
        with_provider(sampler="ParentBased{root:TraceIdRatioBased{0.3},remoteParentSampled:A}"),
        "TraceIdRatioBased{0.3}",
        "TracerProvider(sampler=CarbonSampler(ParentBased(TraceIdRatioBased(0.3)))) # in code",
    ),
    ("sampling_loss", ran(not_recorded={SCOPE: 4, "app": 9}), f"{SCOPE}: 4 dropped", "CarbonSampler(SAMPLER)"),
    (
        "sampling_loss",
        ran_with({"variables": {"OTEL_TRACES_SAMPLER": "theirs"}}, not_recorded={SCOPE: 4}),
        f"{SCOPE}: 4 dropped",
        "OTEL_TRACES_SAMPLER=otel_carbon OTEL_TRACES_SAMPLER_ARG=NAME:ARGUMENT",
    ),
    (
        "sampling_loss",
        told({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"}),
        "OTEL_TRACES_SAMPLER=parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG=parentbased_traceidratio:0.25",
    ),
    ("sampling_loss", told({"OTEL_TRACES_SAMPLER": "always_off"}), "always_off", "OTEL_TRACES_SAMPLER_ARG=always_off"),
    (
        "attribute_limit_small",
        told({"OTEL_ATTRIBUTE_COUNT_LIMIT": "20"}),
        "LIMIT: 20",
        "unset OTEL_ATTRIBUTE_COUNT_LIMIT",
    ),
    ("attribute_limit_small", with_provider(attribute_limit=16), "the limits of the provider: 16", "at least 48"),
    (
        "model_unknown",
        with_call(model="gtp-4o", match="generic"),
        "gtp-4o at openai: 3 calls, match generic",
        "=gtp-4o=gpt-4o",
    ),
    (
        "model_unknown",
        with_call(model="zzz", match="", status="unestimated", reason="model_not_registered"),
        "zzz at openai: 3 calls, no estimate: model_not_registered",
        "OTEL_CARBON_MODELS=zzz=KNOWN_MODEL",
    ),
    ("model_by_family", with_call(model="gpt-4o-new", match="family"), "match family", "=gpt-4o-new=KNOWN_MODEL"),
    (
        "model_not_named",
        with_call(model="", status="unestimated", reason="model_not_named", match=""),
        "3 calls",
        SCOPE,
    ),
    (
        "usage_missing",
        with_call(status="unestimated", reason="no_usage", match=""),
        f"{SCOPE}: 3 calls",
        "include_usage",
    ),
    (
        "usage_unusable",
        with_call(status="unestimated", reason="absurd_usage", match=""),
        "larger than any",
        "#absurd_usage",
    ),
    (
        "call_not_covered",
        with_call(status="unestimated", reason="outside_validity", match=""),
        "do not cover",
        "#outside",
    ),
    (
        "region_unknown",
        static(regions={"openai": "estus", "x": "y"}, wrong_regions=(WrongRegion("openai", "estus", ("eastus",)),)),
        "OTEL_CARBON_REGION: openai=estus",
        "OTEL_CARBON_REGION=openai=eastus,x=y",
    ),
    (
        "region_unused",
        ran_with({"regions": {"openai": "eastus", "mistral_ai": "westeurope"}}),
        "OTEL_CARBON_REGION: mistral_ai=westeurope",
        "nothing to change",
    ),
    (
        "region_provider_misspelt",
        ran_with({"regions": {"opnai": "eastus"}}),
        "OTEL_CARBON_REGION: opnai=eastus",
        "OTEL_CARBON_REGION=openai=eastus",
    ),
    (
        "region_unknown",
        static(
            regions={"openai": "estus"},
            wrong_regions=(WrongRegion("openai", "estus", ("westus", "eastus", "westus3")),),
        ),
        "nearest names: westus, eastus, westus3",
        "OTEL_CARBON_REGION=openai=REGION",
    ),
    (
        "region_contradicted",
        with_call(told_region="westus"),
        "eastus configured, westus told",
        "OTEL_CARBON_REGION=openai=westus",
    ),
    ("region_assumed", with_call(region="USA", region_evidence="default"), "taken: USA", "=openai=REGION"),
    (
        "provider_place_unknown",
        ran(calls=(CALL, CallRow(SCOPE, "acme", "gpt-4o", "unestimated", "zone_unknown"))),
        "acme: 1 call",
        "OTEL_CARBON_REGION=openai=eastus,acme=REGION",
    ),
    (
        "provider_not_named",
        with_call(
            provider="",
            operator="",
            region="",
            region_evidence="",
            match="",
            status="unestimated",
            reason="zone_unknown",
        ),
        f"{SCOPE}: 3 calls",
        f"gen_ai.provider.name # must be set by the instrumentation {SCOPE}",
    ),
    ("no_calls_seen", ran(calls=()), "openai was loaded", "otel-carbon doctor -- python app.py # with a call in it"),
    ("not_observed", replace(RUN, reports=()), "it starts no Python", "otel-carbon doctor -- python app.py"),
    ("command_failed", ended(3), "exit code 3", "python app.py # run it alone first"),
    ("command_failed", ended(-9), "ended by SIGKILL", ""),
    (
        "command_failed",
        replace(ran(calls=(), ended=""), outcome=CommandOutcome(("python", "app.py"), -9)),
        "no call was seen before: some may be missing",
        "",
    ),
    ("command_failed", ended(-200), "ended by signal 200", ""),
    ("command_stopped", ended(-15, stopped=True), "", "--timeout SECONDS -- python app.py"),
    ("process_unfinished", ran(ended=""), "process 7", ""),
    ("process_unfinished", ran(ended="", calls=()), "process 7", "nothing to change"),
    ("process_running", ran(ended="", running=True), "process 7", "otel-carbon doctor -- python app.py"),
    ("too_much_to_keep", ran(not_kept=12), "12 spans beyond the bound", ""),
]
