"""Budgets for emissions, energy, water and tokens: read, turned into rules, looked up, watched in process."""
