"""YAML 1.2 read into entries that know their file, line and key, so that every mistake can be pointed at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_carbon.errors import MissingExtra

if TYPE_CHECKING:
    from pathlib import Path

    from ruamel.yaml.nodes import MappingNode, Node

INSTALL = "pip install 'otel-carbon[authoring]'"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A mistake in a source file: where it is, and what to do about it."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}: {self.message}"


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """A value in a YAML file with the place where it stands; `key` is the dotted path to it."""

    content: str | int | float | bool | tuple[Entry, ...] | Mapping[str, Entry] | None
    file: str
    line: int
    key: str

    def __repr__(self) -> str:
        """What was written, as messages show it."""
        return repr(self.content)

    def problem(self, message: str, part: str = "") -> Problem:
        """A problem at this place; `part` names a missing or wrong key below it."""
        return Problem(self.file, self.line, joined(self.key, part) if part else self.key, message)

    def mapping(self) -> Mapping[str, Entry] | None:
        """The keys below, or None when this is no mapping."""
        return self.content if isinstance(self.content, Mapping) else None


def joined(key: str, part: str) -> str:
    """The dotted path of a part below a key."""
    return f"{key}.{part}" if key else part


def read_yaml(path: Path, file: str, problems: list[Problem]) -> Entry | None:
    """One YAML document with places; problems found on the way are appended, None means that nothing could be read.

    Raises:
        MissingExtra: ruamel.yaml is not installed.
    """
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError
    except ImportError as error:
        msg = f"reading YAML needs ruamel.yaml; install it with {INSTALL}"
        raise MissingExtra(msg) from error
    try:
        root: Node | None = YAML(typ="safe", pure=True).compose(path.read_text(encoding="utf-8"))
        if root is None:
            problems.append(Problem(file, 1, "document", "is empty; write something or remove the file"))
            return None
        return _entry(root, file, "", problems, set())
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problems.append(Problem(file, line, "yaml", f"{error.problem}; correct the YAML"))
    except (YAMLError, OSError, UnicodeDecodeError, ValueError) as error:
        problems.append(Problem(file, 1, "yaml", f"{' '.join(str(error).split())}; correct the file"))
    except RecursionError:
        problems.append(Problem(file, 1, "yaml", "is nested too deeply; write it flat"))
    return None


def _entry(node: Node, file: str, key: str, problems: list[Problem], seen: set[int]) -> Entry:
    """A node with all below it; `seen` are the lists and mappings before it, none of which may stand for another."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    line = node.start_mark.line + 1
    if isinstance(node, MappingNode | SequenceNode):
        if id(node) in seen:  # nine times nine times nine of them would fill the memory
            problems.append(Problem(file, line, key or "document", "is used again as an alias; write it out"))
            return Entry(None, file, line, key)
        seen.add(id(node))
    if isinstance(node, MappingNode):
        return Entry(_mapping(node, file, key, problems, seen), file, line, key)
    if isinstance(node, SequenceNode):
        parts = tuple(_entry(part, file, key, problems, seen) for part in node.value)
        return Entry(parts, file, line, key)
    return Entry(_scalar(node), file, line, key)


def _mapping(node: MappingNode, file: str, key: str, problems: list[Problem], seen: set[int]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for key_node, node_below in node.value:
        name, line = str(key_node.value), key_node.start_mark.line + 1
        path = joined(key, name)
        if name in entries:
            message = f"duplicate key, first given in line {entries[name].line}; keep one"
            problems.append(Problem(file, line, path, message))
            continue
        below = _entry(node_below, file, path, problems, seen)
        entries[name] = Entry(below.content, file, line, path)
    return entries


def _scalar(node: Node) -> str | int | float | bool | None:
    text = str(node.value)
    try:
        return _typed(node, text)
    except ValueError:  # such as 0x1F or more digits than a number may have: whoever asks for a number says so
        return text


def _typed(node: Node, text: str) -> str | int | float | bool | None:
    match str(node.tag).rpartition(":")[2]:
        case "int":
            return int(text)
        case "float":
            return float(text.replace(".inf", "inf").replace(".nan", "nan") if text[-1:].isalpha() else text)
        case "bool":
            return text.lower() == "true"
        case "null":
            return None
        case _:
            return text
