"""Put in what `${env:NAME}`, `${NAME}` and `${file:PATH}` stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from otel_carbon.collector.config.source.findings import Finding, InvalidConfig
from otel_carbon.collector.config.source.tree import plain_from_text
from otel_carbon.collector.config.text import Problem, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from otel_carbon.collector.config.source.tree import Node
    from otel_carbon.collector.config.text import KeyPath, Plain

MAX_FILE_BYTES = 1024 * 1024
MAX_DEPTH = 8
"""How deep text that a reference stands for may hold references."""
MAX_REFERENCES = 1_000
"""A bound, because files that name each other twice grow without end."""
_ENVIRONMENT = re.compile(r"(?:env:)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-.*)?", re.DOTALL)
_BRACES = re.compile(r"\$\{|\}")
_FILE = "file:"
_KNOWN_SCHEMES = frozenset({"env", "file", "http", "https", "yaml"})
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_FORMS = "write ${env:NAME}, ${env:NAME:-default} or ${file:PATH}, or $$ for a dollar sign"


@dataclass(slots=True)
class Substitution:
    """Turns a tree into plain values, with what its references stand for.

    Attributes:
        environment: values by name.
        nodes: where each key path stands.
        texts: the text behind a value that is wholly a reference, for settings that are texts.
        hidden: what came from a reference, at its key path; it may be a secret.
        problems: references that stand for nothing.
        references: how many were put in.
    """

    environment: Mapping[str, str]
    nodes: dict[KeyPath, Node] = field(default_factory=dict)
    texts: dict[KeyPath, str] = field(default_factory=dict)
    hidden: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    references: int = 0

    def plain(self, node: Node, path: KeyPath = ()) -> Plain:
        """The plain value of a node and of all below it."""
        self.nodes[path] = node
        if isinstance(node.value, dict):
            return {key: self.plain(child, (*path, key)) for key, child in node.value.items()}
        if isinstance(node.value, list):
            return [self.plain(child, (*path, index)) for index, child in enumerate(node.value)]
        if isinstance(node.value, str):
            return _Place(self, path, node.file.folder).value_of(node.value)
        return node.value


@dataclass(frozen=True, slots=True)
class _Found:
    """What a reference stands for, and the folder of the file that it stands in."""

    text: str
    folder: Path


@dataclass(frozen=True, slots=True)
class _Place:
    """One key path, and the folder that files are looked for in."""

    substitution: Substitution
    path: KeyPath
    folder: Path
    depth: int = 0

    def value_of(self, text: str) -> Plain:
        """What a scalar stands for: YAML again when it is wholly a reference, otherwise a text."""
        parts = list(_parts(text))
        if len(parts) == 1 and parts[0].is_reference:
            return self._whole(parts[0].text)
        joined = self._joined(parts)
        if any(part.is_reference for part in parts):
            self.substitution.hidden[self.path] = joined
        return joined

    def _joined(self, parts: list[_Part]) -> str:
        return "".join(self._text_behind(part.text) if part.is_reference else part.text for part in parts)

    def _whole(self, reference: str) -> Plain:
        found = self._found(reference)
        if found is None:
            return None
        self.substitution.hidden[self.path] = found.text
        is_null = found.text.strip() in _NULLS
        value = None if is_null else cast("Plain", plain_from_text(found.text))
        if isinstance(value, str) or (value is None and not is_null):
            return found.text  # as it is: a password may look like a comment of YAML
        self.substitution.texts[self.path] = found.text
        if not isinstance(value, dict | list):
            return value
        if self.depth == MAX_DEPTH:
            self._problem(f"references stand for text with references, more than {MAX_DEPTH} deep")
            return None
        return replace(self, folder=found.folder, depth=self.depth + 1)._within(value)

    def _within(self, value: Plain) -> Plain:
        """A list or mapping that a reference stands for, with the references inside it put in."""
        if isinstance(value, dict):
            return {key: replace(self, path=(*self.path, key))._within(child) for key, child in value.items()}
        if isinstance(value, list):
            return [replace(self, path=(*self.path, index))._within(child) for index, child in enumerate(value)]
        if isinstance(value, str):
            result = self.value_of(value)
            self.substitution.hidden.setdefault(self.path, str(result))
            return result
        return value

    def _text_behind(self, reference: str) -> str:
        found = self._found(reference)
        return found.text if found else ""

    def _found(self, reference: str) -> _Found | None:
        """What a reference stands for; None, and a problem, when that is nothing."""
        self.substitution.references += 1
        if self.substitution.references > MAX_REFERENCES:
            raise InvalidConfig((Finding(dotted(self.path), message=f"more than {MAX_REFERENCES} references"),))
        if reference.startswith(_FILE):
            return self._file(self._joined(list(_parts(reference.removeprefix(_FILE)))))
        matched = _ENVIRONMENT.fullmatch(reference)
        if matched is None:
            self._problem(f"${{{_beginning(reference)}}} is unknown; {_FORMS}")
            return None
        name, default = matched["name"], matched["default"]
        text = self.substitution.environment.get(name)
        if text is None and default is not None:
            text = self._joined(list(_parts(default.removeprefix(":-"))))
        if text is None:
            self._problem(f"{name} is not set; set it or write ${{env:{name}:-default}}")
            return None
        return _Found(text, self.folder)

    def _file(self, name: str) -> _Found | None:
        path = self.folder / name
        try:
            with path.open("rb") as file:
                content = file.read(MAX_FILE_BYTES + 1)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no path"
            self._problem(f"the file {name!r} cannot be read: {reason}")
            return None
        if len(content) > MAX_FILE_BYTES:
            self._problem(f"the file {name!r} is larger than {MAX_FILE_BYTES // 1024} KiB")
            return None
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            self._problem(f"the file {name!r} is not UTF-8 text")
            return None
        return _Found(text.removesuffix("\n").removesuffix("\r"), path.parent)

    def _problem(self, message: str) -> None:
        self.substitution.problems.append(Problem(self.path, message))


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a text: what stands there, or what stands inside `${ }`."""

    text: str
    is_reference: bool = False


def _parts(text: str) -> Iterator[_Part]:
    """Cut a text at its references; `$$` is a dollar sign."""
    plain, at = "", 0
    while (dollar := text.find("$", at)) >= 0:
        plain += text[at:dollar]
        at = dollar + 1
        end = _end_of_reference(text, dollar)
        if end:
            if plain:
                yield _Part(plain)
            yield _Part(text[dollar + 2 : end], is_reference=True)
            plain, at = "", end + 1
        else:
            plain += "$"
            at += text.startswith("$", at)
    if plain + text[at:]:
        yield _Part(plain + text[at:])


def _end_of_reference(text: str, begin: int) -> int:
    """Where the brace closes that opens behind a dollar sign; 0 when there is none."""
    if not text.startswith("${", begin):
        return 0
    depth = 0
    for brace in _BRACES.finditer(text, begin):
        depth += 1 if brace[0] == "${" else -1
        if depth == 0:
            return brace.start()
    return 0


def _beginning(reference: str) -> str:
    """Enough of a reference to find it, and not the secret that may stand in it."""
    scheme = reference.partition(":")[0]
    return f"{scheme}:..." if scheme in _KNOWN_SCHEMES else "..."
