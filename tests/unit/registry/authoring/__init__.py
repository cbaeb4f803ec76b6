"""Tests of how facts are written, checked, compiled and frozen."""
