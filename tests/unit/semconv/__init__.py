"""Tests of the convention, its generator and the live check."""
