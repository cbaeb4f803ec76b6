"""Attacks on a real collector process: programs that report, and short forms of them as ordinary tests."""
