"""The collector: OTLP in, carbon attributes added, OTLP and Prometheus out."""
