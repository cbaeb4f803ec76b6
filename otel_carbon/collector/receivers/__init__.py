"""What telemetry comes in by."""
