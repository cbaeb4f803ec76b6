"""Sourced, dated facts: energy per token, grids, sites, regions; nothing is ever edited or deleted."""
