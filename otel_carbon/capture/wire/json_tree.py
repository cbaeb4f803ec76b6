"""Which members of JSON texts are wanted, and what was found of them."""

from __future__ import annotations

import json

Tree = dict[str, "Tree | str"]
"""Wanted members by name; at the end of each path stands the path itself."""
Picked = dict[str, object]
"""What was found, by path."""


def tree_of(*paths: str) -> Tree:
    """The tree of paths like `response.usage`, none of which may lie within another."""
    tree: Tree = {}
    for path in paths:
        *holders, last = path.split(".")
        node = tree
        for name in holders:
            inner = node.setdefault(name, {})
            if isinstance(inner, dict):
                node = inner
        node[last] = path
    return tree


_decode = json.JSONDecoder().decode  # `json.loads` first looks for encodings that no answer has


def parsed(text: bytes | bytearray) -> object:
    """The value of a whole JSON text; `None` for one that is none."""
    try:
        return _decode(str(text, "utf-8"))
    except (ValueError, RecursionError):
        return None
