"""Tests of how amounts are shown."""
