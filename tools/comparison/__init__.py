"""What `tools/compare_tools.py` asks of otel-carbon and of other tools."""
