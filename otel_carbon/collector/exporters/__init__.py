"""What telemetry goes out by."""
