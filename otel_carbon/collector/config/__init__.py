"""The shape of collector.yaml, how it is loaded, and what is checked about it."""
