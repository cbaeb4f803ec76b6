"""Laws, held against generated input."""
