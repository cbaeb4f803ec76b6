"""Tests with client programs in environments of their own; `tools/make_clients.py` makes them from the files here."""
