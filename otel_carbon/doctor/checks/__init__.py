"""Checks that turn facts and observations into findings; they read nothing and change nothing."""
