"""Read collector.yaml: YAML 1.2 with line numbers, and environment variables put in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from io import StringIO
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

KeyPath = tuple[str | int, ...]
Plain = dict[str, "Plain"] | list["Plain"] | str | int | float | bool | None

_REFERENCE = re.compile(r"\$\$|\$\{(?P<name>[^}]*)\}")
_ENVIRONMENT = re.compile(r"env:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-.*)?", re.DOTALL)
_DUPLICATE = re.compile(r'found duplicate key "([^"]*)"')


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it is, and what is allowed there."""

    path: KeyPath
    message: str


@dataclass(frozen=True, slots=True)
class ConfigText:
    """A parsed file.

    Attributes:
        file_name: as the user wrote it.
        content: plain values, environment variables put in.
        lines: line number, from 1, of each key path.
        problems: variables that could not be put in.
    """

    file_name: str
    content: Plain
    lines: Mapping[KeyPath, int]
    problems: tuple[Problem, ...]

    def describe(self, problem: Problem) -> str:
        """Write a problem as `file:line: key path: message`."""
        line = self.line_of(problem.path)
        place = f"{self.file_name}:{line}" if line else self.file_name
        key = dotted(problem.path)
        return f"{place}: {key}: {problem.message}" if key else f"{place}: {problem.message}"

    def line_of(self, path: KeyPath) -> int:
        """Line of a key, or of the nearest section around it; 0 for the file as a whole."""
        return next((self.lines[known] for known in _ancestors(path) if known in self.lines), 0)


def parse_text(text: str, file_name: str, environment: Mapping[str, str]) -> ConfigText:
    """Parse YAML and replace `${env:NAME}`, `${env:NAME:-default}` and `$$`.

    Raises:
        ConfigError: the text is no YAML, or a key stands in it twice.
    """
    try:
        document = YAML(typ="rt", pure=True).load(StringIO(text))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        # In YAML the braces of a reference end or begin a flow mapping unless they are quoted.
        has_reference = any("${" in each for each in text.splitlines()[line - 1 : line])
        hint = '; write "${...}" in quotes inside { }' if has_reference else ""
        raise ConfigError((f"{file_name}:{line}: {_yaml_message(error)}{hint}",)) from error
    except YAMLError as error:
        raise ConfigError((f"{file_name}: is no YAML: {error}",)) from error
    reading = _Reading(environment)
    content = reading.plain(document, ())
    return ConfigText(file_name, content, reading.lines, tuple(reading.problems))


def dotted(path: KeyPath) -> str:
    """Write a key path as `service.pipelines.traces.exporters[1]`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def suggestion(name: str, allowed: Iterable[str]) -> str:
    """Point to the nearest allowed name, or list all of them."""
    names = sorted(allowed)
    nearest = get_close_matches(name, names, n=1)
    if nearest:
        return f"did you mean {nearest[0]!r}?"
    return f"allowed: {', '.join(names)}" if names else "there are none"


@dataclass(slots=True)
class _Reading:
    """Turns ruamel's nodes into plain values and notes where they stand."""

    environment: Mapping[str, str]
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def plain(self, node: object, path: KeyPath) -> Plain:
        if isinstance(node, CommentedMap):
            return {str(key): self._child(node, key, (*path, str(key))) for key in node}
        if isinstance(node, CommentedSeq):
            return [self._child(node, index, (*path, index)) for index in range(len(node))]
        if isinstance(node, str):
            return self._with_environment(str(node), path)
        return node if isinstance(node, bool | int | float) or node is None else str(node)

    def _child(self, parent: CommentedMap | CommentedSeq, key: object, path: KeyPath) -> Plain:
        self.lines[path] = parent.lc.data[key][0] + 1
        return self.plain(parent[key], path)

    def _with_environment(self, text: str, path: KeyPath) -> str:
        return _REFERENCE.sub(lambda found: self._replacement(found, path), text)

    def _replacement(self, found: re.Match[str], path: KeyPath) -> str:
        if found["name"] is None:
            return "$"
        reference = _ENVIRONMENT.fullmatch(found["name"])
        if reference is None:
            self.problems.append(Problem(path, f"{found[0]} is unknown; write ${{env:NAME}}, or $$ for a dollar sign"))
            return ""
        value = self.environment.get(reference["name"])
        if value is None and reference["default"] is None:
            name = reference["name"]
            self.problems.append(Problem(path, f"{name} is not set; set it or write ${{env:{name}:-default}}"))
        return value if value is not None else (reference["default"] or "").removeprefix(":-")


def _ancestors(path: KeyPath) -> Iterator[KeyPath]:
    """The path itself, then what it is in, up to the root."""
    for length in range(len(path), 0, -1):
        yield path[:length]


def _yaml_message(error: MarkedYAMLError) -> str:
    # ruamel's text for a duplicate quotes both values, which may be secrets.
    if isinstance(error, DuplicateKeyError):
        found = _DUPLICATE.search(error.problem or "")
        return f"the key {found[1] if found else ''!r} stands here twice"
    return f"is no YAML: {error.problem}"
