"""The command `otel-carbon`: one module for each command or group of commands."""
