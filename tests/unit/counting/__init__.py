"""Tests of counting each inference once."""
