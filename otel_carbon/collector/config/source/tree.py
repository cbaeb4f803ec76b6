"""Read YAML 1.2 into a tree whose every node knows where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from io import StringIO
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from otel_carbon.collector.config.source.findings import Finding, InvalidConfig
from otel_carbon.collector.config.source.masking import is_odd_key, is_secret, message_of_yaml, unparsed_line
from otel_carbon.collector.config.text import KeyPath, Problem

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node as YamlNode

Scalar = str | int | float | bool | None
MAX_NODES = 20_000
"""A bound, because aliases of aliases grow without end."""
MAX_DEPTH = 50
_MAX_BRACKETS = 200
"""The time that ruamel takes grows with the square of this."""
_BRACKET = re.compile(r"[\[\]{}]")
_HIDDEN: KeyPath = ("secret",)
"""Stands for the path of what is hidden for where it stands, not for its key."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_READ_TAGS = frozenset({"bool", "float", "int", "null"})
_STANDARD_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A text that settings stand in.

    Attributes:
        name: as the user wrote it.
        lines: without line ends.
        folder: what paths in it are relative to.
    """

    name: str
    lines: tuple[str, ...]
    folder: Path


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands.

    Attributes:
        value: further nodes, or a scalar.
        file: the text it stands in.
        line: of the key, or of the list item itself; from 1, and 0 for what stands in no file.
        column: where on the line that begins, from 1.
        width: how many characters it has.
    """

    value: dict[str, Node] | list[Node] | Scalar
    file: SourceFile
    line: int = 0
    column: int = 1
    width: int = 0


@dataclass(frozen=True, slots=True)
class WrittenValue:
    """The characters of one value, to hide them where it is secret; lines from 1, columns from 0."""

    path: KeyPath
    first: tuple[int, int]
    after: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tree:
    """A file as it was read.

    Attributes:
        root: its content.
        values: every value that stands in it, those of keys that stand twice included.
        problems: what was left out.
    """

    root: Node
    values: tuple[WrittenValue, ...]
    problems: tuple[Problem, ...]


def read_tree(text: str, file: SourceFile) -> Tree:
    """Read a file.

    Raises:
        InvalidConfig: it is no YAML, or nests without end.
    """
    if _most_open_brackets(text) > _MAX_BRACKETS:
        raise InvalidConfig((Finding(file.name, message=_TOO_LARGE),))
    try:
        document = YAML(typ="safe", pure=True).compose(StringIO(text))
    except MarkedYAMLError as error:
        raise InvalidConfig((_syntax_finding(error, file),)) from error
    except YAMLError as error:
        # ruamel quotes the character that it cannot read, never more.
        raise InvalidConfig((Finding(file.name, message=f"is no YAML: {str(error).splitlines()[0]}"),)) from error
    except RecursionError as error:
        raise InvalidConfig((Finding(file.name, message=_TOO_LARGE),)) from error
    if document is None:
        return Tree(Node(None, file), (), ())
    reading = _Reading(file)
    root = reading.node(document, (), document)
    return Tree(root, tuple(reading.values), tuple(reading.problems))


def plain_from_text(text: str) -> object:
    """The value that a text stands for in YAML; the text itself when it is none.

    Raises:
        InvalidConfig: it nests without end.
    """
    file = SourceFile("", lines_of(text), Path())
    try:
        tree = read_tree(text, file)
    except InvalidConfig as error:
        if error.findings[0].message == _TOO_LARGE:
            raise
        return text
    return text if tree.problems else unplaced(tree.root)


def unplaced(node: Node) -> object:
    """The values of a tree, without their places."""
    if isinstance(node.value, dict):
        return {key: unplaced(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [unplaced(child) for child in node.value]
    return node.value


_TOO_LARGE = f"is too large or nested too deeply; at most {MAX_NODES} values and {MAX_DEPTH} levels are read"


@dataclass(slots=True)
class _Reading:
    """Turns ruamel's nodes into ours."""

    file: SourceFile
    values: list[WrittenValue] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0

    def node(self, found: YamlNode, path: KeyPath, mark: YamlNode) -> Node:
        """Read one node; `mark` is what messages point to: its key, or itself."""
        self.nodes += 1
        if self.nodes > MAX_NODES or len(path) > MAX_DEPTH:
            raise InvalidConfig((Finding(self.file.name, message=_TOO_LARGE),))
        line, column, width = _place(mark)
        return Node(self._value(found, path), self.file, line, column, width)

    def _value(self, found: YamlNode, path: KeyPath) -> dict[str, Node] | list[Node] | Scalar:
        if isinstance(found, MappingNode):
            return self._mapping(found, path)
        if isinstance(found, SequenceNode):
            return [self.node(item, (*path, index), item) for index, item in enumerate(found.value)]
        self._note_value(found, path)
        return self._scalar(found, path)

    def _mapping(self, found: MappingNode, path: KeyPath) -> dict[str, Node]:
        children: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in found.value:
            if not isinstance(key, ScalarNode):
                self._note_value(key, _HIDDEN)
                self._note_value(value, _HIDDEN)
                self.problems.append(Problem(path, "a key must be a text"))
            elif key.tag == _STANDARD_TAG + "merge":
                for each in value.value if isinstance(value, SequenceNode) else [value]:
                    read = self._mapping(each, path) if isinstance(each, MappingNode) else {}
                    merged = {**read, **merged}
            else:
                name = str(key.value)
                if is_odd_key((*path, name)) or (is_secret(path) and str(value.tag) == _STANDARD_TAG + "null"):
                    self._note_value(key, _HIDDEN)
                if name in children:
                    before = children[name].line
                    self.problems.append(
                        Problem(
                            (*path, name), f"stands here twice, before in line {before}; keep one", hides_value=True
                        )
                    )
                children[name] = self.node(value, (*path, name), key)
        return {**merged, **children}

    def _scalar(self, found: YamlNode, path: KeyPath) -> Scalar:
        tag = str(found.tag)
        kind = tag.removeprefix(_STANDARD_TAG)
        if not tag.startswith(_STANDARD_TAG):
            self.problems.append(Problem(path, "a value that begins with ! must stand in quotes"))
        if kind not in _READ_TAGS:
            return str(found.value)
        try:
            value = YAML(typ="safe", pure=True).constructor.construct_object(found)
        except (ValueError, TypeError, KeyError):
            return str(found.value)
        return value if isinstance(value, bool | int | float) or value is None else str(found.value)

    def _note_value(self, found: YamlNode, path: KeyPath) -> None:
        first = (found.start_mark.line + 1, found.start_mark.column)
        self.values.append(WrittenValue(path, first, (found.end_mark.line + 1, found.end_mark.column)))


def _place(mark: YamlNode) -> tuple[int, int, int]:
    """Line, column and width of what messages point to."""
    begin, end = mark.start_mark, mark.end_mark
    width = end.column - begin.column if begin.line == end.line and isinstance(mark, ScalarNode) else 1
    return begin.line + 1, begin.column + 1, max(width, 1)


def _syntax_finding(error: MarkedYAMLError, file: SourceFile) -> Finding:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    written = file.lines[line - 1] if 0 < line <= len(file.lines) else ""
    # In YAML the braces of a reference end or begin a flow mapping unless they are quoted.
    hint = '; write "${...}" in quotes inside { }' if "${" in written else ""
    shown, column = unparsed_line(file.lines, line, mark.column + 1 if mark else 0)
    message = f"is no YAML: {message_of_yaml(error.problem or error.context or '')}{hint}"
    if not shown:
        return Finding(file.name, line, message=message)
    return Finding(file.name, line, column, 1, message=message, written=shown)


def _most_open_brackets(text: str) -> int:
    """How deep brackets nest at most; those in quotes are counted too, as nobody writes so many of them."""
    return max(accumulate(1 if bracket in "[{" else -1 for bracket in _BRACKET.findall(text)), default=0)


def lines_of(text: str) -> tuple[str, ...]:
    """The lines of a text as YAML counts them."""
    return tuple(_LINE_END.split(text))
