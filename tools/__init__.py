"""Build-time generators; none of them is in the wheel."""
