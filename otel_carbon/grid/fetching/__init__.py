"""Reads carbon intensity from where it is published; the only part that uses the network, and only when told to."""
