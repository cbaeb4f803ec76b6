"""Real client programs in environments of their own, which `tools/make_clients.py` makes from the files here."""
