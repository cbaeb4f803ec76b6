"""Tests that run several real parts together over loopback."""
