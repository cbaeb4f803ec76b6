"""Tests of reading and enriching OTLP."""
