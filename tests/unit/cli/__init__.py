"""The commands, each message and each exit code."""
