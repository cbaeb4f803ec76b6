"""Tests of grid tables and of where they are filled from."""
