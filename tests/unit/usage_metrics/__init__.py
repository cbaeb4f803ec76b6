"""Tests of reading token usage from metrics."""
