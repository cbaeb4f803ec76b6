"""From a call to its factors."""
