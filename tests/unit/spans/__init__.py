"""Tests of reading other people's spans."""
