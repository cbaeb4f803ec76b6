"""Tests of the totals and their way into Prometheus."""
