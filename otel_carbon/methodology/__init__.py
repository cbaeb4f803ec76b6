"""One page on how figures come about, from the registry of facts: every coefficient, check, weakness and comparison."""
