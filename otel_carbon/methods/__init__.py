"""Ways to get from a call to its factors; each says which facts it used."""
