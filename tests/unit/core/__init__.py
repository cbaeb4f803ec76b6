"""The quantities, their formulas and what is refused."""
