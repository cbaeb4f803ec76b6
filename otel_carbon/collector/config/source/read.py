"""Put files and `--set` together to one configuration, and show mistakes where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from otel_carbon.collector.config.source.findings import Finding, InvalidConfig
from otel_carbon.collector.config.source.masking import (
    MASK,
    WITHOUT_SECRETS,
    is_secret,
    masked,
    may_hold_credentials,
    shown_path,
    without_credentials,
)
from otel_carbon.collector.config.source.references import Substitution
from otel_carbon.collector.config.source.tree import Node, SourceFile, Tree, lines_of, read_tree
from otel_carbon.collector.config.text import KeyPath, Plain, Problem, ancestors, dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MAX_FILE_BYTES = 1024 * 1024
SETTING_NAME = "--set"
_COMMENT = re.compile(r"(?:^|(?<=\s))\s*#")
_SHORTEST_HIDDEN = 4
"""Shorter values are hidden where they stand in quotes only: they may be part of any word."""


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """One configuration out of all that was given.

    Attributes:
        content: plain values, references put in.
        texts: the text of each value that is wholly a reference, for settings that are texts.
        problems: what could not be read or put in.
        unresolved: key paths of references that stand for nothing.
    """

    content: Plain
    texts: Mapping[KeyPath, str]
    problems: tuple[Problem, ...]
    unresolved: frozenset[KeyPath]
    _nodes: Mapping[KeyPath, Node]
    _hidden: Mapping[KeyPath, str]
    _trees: Sequence[Tree]

    def findings(self, problems: Iterable[Problem], unknown: frozenset[KeyPath] = frozenset()) -> tuple[Finding, ...]:
        """Show problems from the top of the first file to the end of the last.

        Args:
            problems: what to show.
            unknown: keys that nobody knows, so that the values at and below them may be secrets.
        """
        placed = sorted(problems, key=self._position)
        return tuple(self._finding(self._node(problem.path), problem, unknown) for problem in placed)

    def _position(self, problem: Problem) -> tuple[int, int]:
        node = self._node(problem.path)
        if node is None:
            return -1, 0
        return next(index for index, tree in enumerate(self._trees) if tree.root.file == node.file), node.line

    def _node(self, path: KeyPath) -> Node | None:
        """The node of a key, or of the nearest section around it."""
        return next((self._nodes[known] for known in ancestors(path) if known in self._nodes), None)

    def _finding(self, node: Node | None, problem: Problem, unknown: frozenset[KeyPath]) -> Finding:
        key, message = dotted(self._shown_path(problem.path)), self._safe(problem)
        if node is None:
            names = ", ".join(dict.fromkeys(tree.root.file.name for tree in self._trees))
            return Finding(names, key=key, message=message)
        if not node.line:
            return Finding(node.file.name, key=key, message=message)
        written, hidden = masked(self._line_without_comment(node), self._secrets_on(node, unknown))
        column, width = _moved(node, hidden)
        shown = without_credentials(written)
        return Finding(node.file.name, node.line, column, width, key=key, message=message, written=shown)

    def _shown_path(self, path: KeyPath) -> KeyPath:
        """The path; where a name was forgotten, as in `headers: {secret}`, its last key is the secret."""
        shown, node = shown_path(path), self._nodes.get(path)
        return (*shown[:-1], MASK) if node and node.value is None and is_secret(path[:-1]) else shown

    def _safe(self, problem: Problem) -> str:
        """The message without values that may be secret."""
        message = problem.message
        for value in self._values_to_hide(problem.path):
            message = message.replace(repr(value), repr(MASK))
            if len(value) >= _SHORTEST_HIDDEN:
                message = message.replace(value, MASK)
        return without_credentials(message)

    def _values_to_hide(self, path: KeyPath) -> Iterator[str]:
        """Longest first, because one may be a part of another."""
        if not path or path[:1] in WITHOUT_SECRETS:
            return iter(())
        values = {value for key, value in self._hidden.items() if _is_at_or_below(key, path)}
        scalars = {key: str(node.value) for key, node in self._nodes.items() if not isinstance(node.value, dict | list)}
        values |= {
            value
            for key, value in scalars.items()
            if _is_at_or_below(key, path) and (is_secret(key) or may_hold_credentials(key, value))
        }
        return iter(sorted(values - {""}, key=lambda value: (-len(value), value)))

    def _line_without_comment(self, node: Node) -> str:
        """The line of a node; what is commented out may be a secret, too."""
        written = node.file.lines[node.line - 1]
        values = [columns for _, columns in self._values_on(node)]
        for found in _COMMENT.finditer(written):
            if not any(first <= found.start() < after for first, after in values):
                return written[: found.start()]
        return written

    def _secrets_on(self, node: Node, unknown: frozenset[KeyPath]) -> Iterator[tuple[int, int]]:
        """The columns of secret values on the line of a node."""
        written = node.file.lines[node.line - 1]
        for path, (first, after) in self._values_on(node):
            is_hidden = is_secret(path) or any(each in unknown for each in ancestors(path))
            if is_hidden or may_hold_credentials(path, written[first:after]):
                yield first, after

    def _values_on(self, node: Node) -> Iterator[tuple[KeyPath, tuple[int, int]]]:
        """The values on the line of a node, with their first column and the one after the last, from 0."""
        written = node.file.lines[node.line - 1]
        for value in chain.from_iterable(tree.values for tree in self._trees if tree.root.file is node.file):
            if value.first[0] <= node.line <= value.after[0] and value.first != value.after:
                first = value.first[1] if value.first[0] == node.line else 0
                yield value.path, (first, value.after[1] if value.after[0] == node.line else len(written))


def read_sources(
    texts: Sequence[tuple[str, str, Path]], settings: Sequence[str], environment: Mapping[str, str]
) -> ConfigSource:
    """Read texts, put the later ones over the earlier ones, then `--set`, then put in references.

    Args:
        texts: name, content and folder of each.
        settings: `key.path=value` each; see `tree_of_setting`.
        environment: values for `${env:NAME}`.

    Raises:
        InvalidConfig: one of them is no YAML.
    """
    trees = list(_all_trees(texts, settings))
    root = trees[0].root
    for tree in trees[1:]:
        # A file without content changes nothing.
        root = merged(root, tree.root) if tree.root.value is not None else root
    substitution = Substitution(environment)
    content = substitution.plain(root)
    unresolved = frozenset(problem.path for problem in substitution.problems)
    problems = (*(problem for tree in trees for problem in tree.problems), *substitution.problems)
    nodes = {path: node for path, node in substitution.nodes.items() if path}
    return ConfigSource(content, substitution.texts, problems, unresolved, nodes, substitution.hidden, trees)


def _all_trees(texts: Sequence[tuple[str, str, Path]], settings: Sequence[str]) -> Iterator[Tree]:
    findings: list[Finding] = []
    trees: list[Tree] = []
    for name, text, folder in texts:
        try:
            trees.append(read_tree(text, SourceFile(name, lines_of(text), folder)))
        except InvalidConfig as error:
            findings += error.findings
    for setting in settings:
        try:
            trees.append(tree_of_setting(setting))
        except InvalidConfig as error:
            findings += error.findings
    if findings:
        raise InvalidConfig(tuple(findings))
    yield from trees


def tree_of_setting(setting: str) -> Tree:
    """Read `exporters.debug.verbosity=detailed`; `::` parts the keys instead where one of them has a dot.

    The value is YAML; files in it are relative to the working directory.

    Raises:
        InvalidConfig: there is no key, or the value is no YAML.
    """
    key_path, equals, value = setting.partition("=")
    keys = [key.strip() for key in key_path.split("::" if "::" in key_path else ".")]
    if not equals or not all(keys):
        what = "must be written key.path=value, or key::path=value where a key has a dot"
        raise InvalidConfig((Finding(SETTING_NAME, message=what),))
    file = SourceFile(SETTING_NAME, (), Path())
    try:
        tree = read_tree(value, file)
    except InvalidConfig as error:
        message = error.findings[0].message
        raise InvalidConfig((Finding(SETTING_NAME, key=dotted(tuple(keys)), message=message),)) from error
    root = _unplaced(tree.root)
    for key in reversed(keys):
        root = Node({key: root}, file)
    return Tree(root, (), tuple(replace(each, path=(*keys, *each.path)) for each in tree.problems))


def merged(below: Node, above: Node) -> Node:
    """Put one node over another: mappings are merged key by key, anything else is replaced."""
    if isinstance(below.value, dict) and isinstance(above.value, dict):
        value = dict(below.value)
        for key, node in above.value.items():
            value[key] = merged(value[key], node) if key in value else node
        return replace(above, value=value)
    return above


def _unplaced(node: Node) -> Node:
    """What stands on the command line stands on no line of a file."""
    value = node.value
    if isinstance(value, dict):
        return Node({key: _unplaced(child) for key, child in value.items()}, node.file)
    if isinstance(value, list):
        return Node([_unplaced(child) for child in value], node.file)
    return Node(value, node.file)


def _moved(node: Node, hidden: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Column and width of a node after characters on its line were hidden."""
    column, width = node.column, node.width
    for first, after in hidden:
        if first + 1 == node.column:
            width = len(MASK)
        elif first + 1 < node.column:
            column -= after - first - len(MASK)
    return max(column, 1), width


def _is_at_or_below(key: KeyPath, path: KeyPath) -> bool:
    return key[: len(path)] == path
