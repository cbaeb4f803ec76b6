"""How amounts are shown, the same on every page: units that suit their size, and one look."""
