"""The documents are run and checked: commands, Python, links, names."""
