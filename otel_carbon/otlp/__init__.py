"""OTLP in and out: spans are read from bytes and attributes appended to bytes, nothing is re-encoded."""
