"""The tests of otel-carbon."""
