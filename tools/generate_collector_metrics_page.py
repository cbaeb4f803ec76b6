"""Generates `docs/reference/collector-metrics.md` from a collector that is built with one of everything."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

REPOSITORY = Path(__file__).resolve().parents[1]
if str(REPOSITORY) not in sys.path:  # started as a file, Python looks beside it only
    sys.path.insert(0, str(REPOSITORY))

from tools.generated_page import write_or_check  # noqa: E402 - the path above comes first

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client.metrics_core import Metric

PAGE = Path("docs/reference/collector-metrics.md")
COMMAND = "python tools/generate_collector_metrics_page.py"

ONE_OF_EVERYTHING = """\
receivers:
  otlp: {protocols: {grpc: {endpoint: "localhost:0"}, http: {endpoint: "localhost:0"}}}
processors:
  memory_limiter: {limit_percentage: 80}
  carbon: {hold: 1s, usage_source: {services: {claude-code: metrics}}}
exporters:
  otlp_http: {endpoint: "http://localhost:9", sending_queue: {storage: file_storage}}
  prometheus: {endpoint: "localhost:0"}
extensions:
  file_storage: {directory: FOLDER}
service:
  extensions: [file_storage]
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, carbon], exporters: [otlp_http, prometheus]}
    metrics: {receivers: [otlp], processors: [carbon], exporters: [otlp_http]}
    logs: {receivers: [otlp], exporters: [otlp_http]}
"""

INTRODUCTION = """\
What the collector says about itself, on the page of the `prometheus` exporter below the carbon counters
([metrics.md](metrics.md)), and with `self_metrics: true` on the way of `prometheusremotewrite`.

Names that begin with `otelcol_` are those of the upstream collector, so that dashboards for it work; sizes of queues
are in bytes here. `{items}` stands for `spans`, `metric_points` and `log_records`, each a metric of its own.
Names are those of the text format; a histogram has `_bucket`, `_sum` and `_count`."""

COVERAGE = """\
## Coverage

Which share of the calls has a figure, and why the others have none, is in the carbon counters:

```promql
sum(rate(otel_carbon_operations_total{otel_carbon_status="estimated"}[1h]))
  / sum(rate(otel_carbon_operations_total[1h]))
sum by (otel_carbon_reason) (rate(otel_carbon_operations_total{otel_carbon_status="unestimated"}[1h]))
```

What counting made of spans, by instrumentation, is in `otel_carbon_spans_total`."""


def metrics_page() -> str:
    """The text of the page."""
    blocks = [
        "# Metrics of the collector",
        f"<!-- Generated from a collector with one of everything by `{COMMAND}`; do not edit. -->",
    ]
    rows = ["| metric | kind | labels | meaning |", "|---|---|---|---|"]
    rows += dict.fromkeys(_row(family) for family in sorted(_families(), key=lambda each: each.name))
    return "\n\n".join([*blocks, INTRODUCTION, "\n".join(rows), COVERAGE]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with `--check` only compare; 0 done, 1 out of date."""
    return write_or_check(PAGE, metrics_page, command=COMMAND, about=__doc__, arguments=arguments)


def _families() -> Iterator[Metric]:
    """All families of a collector that is built and not started; what appears with an event only is touched first."""
    from otel_carbon.cli.collector import carbon_builder
    from otel_carbon.collector.app import bundled_json_decoders
    from otel_carbon.collector.assembly import assemble
    from otel_carbon.collector.config.load import parse_config
    from otel_carbon.collector.fact_metrics import CarbonFacts

    with TemporaryDirectory() as folder:
        text = ONE_OF_EVERYTHING.replace("FOLDER", folder)
        config = parse_config(text, "one of everything", {}).config
        metrics = assemble(config, carbon_builder(None), bundled_json_decoders()).metrics
    metrics.held_decided("carbon", "time")
    metrics.watch_facts(CarbonFacts("", grid_table_from=datetime.now(UTC)))
    yield from metrics.collect()


def _row(family: Metric) -> str:
    from otel_carbon.collector.signals import Signal

    name = f"{family.name}_total" if family.type == "counter" else family.name
    for signal in Signal:
        name = name.replace(f"_{signal.items_name}", "_{items}")
    labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
    return f"| `{name}` | {family.type} | {', '.join(f'`{label}`' for label in labels)} | {family.documentation} |"


if __name__ == "__main__":
    sys.exit(main())
