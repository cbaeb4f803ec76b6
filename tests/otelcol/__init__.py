"""The official OpenTelemetry Collector in front of ours, behind it and in its place, as in `deploy/otelcol`."""
