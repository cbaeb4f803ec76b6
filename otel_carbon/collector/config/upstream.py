"""What to do about settings of the upstream collector that stand in a file and mean nothing here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otel_carbon.collector.config.text import KeyPath

_SECTIONS = {
    "connectors": "there are none: name the exporters of a pipeline, or run an upstream collector beside; remove it",
}
_TELEMETRY_KEYS = {
    ("traces",): "is not read: the collector makes no spans of its own; remove it",
    ("resource",): "is not read: the collector's own metrics carry no resource; remove it",
    ("logs", "output_paths"): (
        "is not read: the log goes to standard error, for whoever starts the collector; remove it"
    ),
    ("logs", "sampling"): "is not needed: nothing is logged for each request or span; remove it",
    ("logs", "initial_fields"): "is not there; add fields where the log is collected, and remove it",
}
_IN_FRONT = (
    "is not there: let an upstream collector in front do this and send OTLP here; remove it, also from the pipelines"
)
_BEHIND = "is not there: send OTLP to an upstream collector that has it; remove it, also from the pipelines"
_UNSUPPORTED = {
    "receivers": {
        **dict.fromkeys(("filelog", "hostmetrics", "jaeger", "kafka", "prometheus", "zipkin"), _IN_FRONT),
    },
    "processors": {
        **dict.fromkeys(("attributes", "filter", "groupbytrace", "k8sattributes", "probabilistic_sampler"), _IN_FRONT),
        **dict.fromkeys(("redaction", "resourcedetection", "span", "tail_sampling", "transform"), _IN_FRONT),
    },
    "exporters": {
        **dict.fromkeys(("elasticsearch", "kafka", "loadbalancing", "load_balancing", "zipkin"), _BEHIND),
        "jaeger": "is not there any more: Jaeger takes OTLP; write otlp_grpc with its port 4317",
        "logging": "was renamed; write debug",
        "loki": "is not there any more: Loki takes OTLP; write otlp_http with its path /otlp",
    },
    "extensions": {
        **dict.fromkeys(
            ("pprof", "zpages"),
            "is not there; the collector's own metrics are on the prometheus page; remove it, also in service",
        ),
    },
}
_TAKE_OUT = "remove it here and from the pipelines"
_PROCESSORS = {
    "batch": f"is not needed, because exporters queue by themselves; {_TAKE_OUT}",
    "resource": (
        "is not there yet; set resource attributes where the telemetry is made (OTEL_RESOURCE_ATTRIBUTES), "
        f"or in a collector in front; {_TAKE_OUT}"
    ),
}
_TELEMETRY = "is not read: the collector's own metrics are on the prometheus exporter's page; remove it"


def advice_on_section(name: str) -> str | None:
    """How to do without a section of the upstream collector; None for all others."""
    return _SECTIONS.get(name)


def advice_on_component(section: str, component_type: str) -> str | None:
    """How to do without a component of the upstream collector; None for all others."""
    known = _PROCESSORS if section == "processors" else {}
    return known.get(component_type) or _UNSUPPORTED[section].get(component_type)


def advice_on_key(path: KeyPath) -> str | None:
    """How to do without a key of the upstream collector; None for all others."""
    if path == ("service", "telemetry", "metrics"):
        return _TELEMETRY
    if path[:2] == ("service", "telemetry"):
        return _TELEMETRY_KEYS.get(tuple(str(part) for part in path[2:]))
    return None
