"""Tests of the facts, their look-up and their authoring."""
