"""The registry as tables and configuration for the official OpenTelemetry Collector."""
