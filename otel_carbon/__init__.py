"""otel-carbon."""
