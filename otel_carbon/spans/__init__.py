"""Other people's spans: the only package that knows their attribute names."""
