"""otel-carbon inside an application: span processor, span exporter and set-up for the OpenTelemetry SDK."""
