"""Counters that add up: totals by label, bounded, and their way into Prometheus."""
