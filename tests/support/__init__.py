"""Real components and recorded telemetry that the tests run against."""
