"""Thirty days of sample traffic through the real pipeline, for whoever wants to see it before installing it."""
