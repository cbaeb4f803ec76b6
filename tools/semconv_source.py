"""Reading the convention files: YAML 1.2 with line numbers, held against the JSON Schema."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from jsonschema.exceptions import ValidationError

SCHEMA_PATH = "schema/definition.schema.json"

Keys = tuple[str | int, ...]


class ModelError(Exception):
    """Mistakes in the convention files; `problems` holds one `file:line: key: message` each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: its name for messages and its content with positions."""

    name: str
    content: CommentedMap

    def problem(self, keys: Keys, message: str) -> str:
        """The message with file, line (from 1) and key path in front."""
        return f"{self.name}:{line_of(self.content, keys)}: {spell_keys(keys)}: {message}"


@dataclass(frozen=True, slots=True)
class Sources:
    """All convention files of one registry and of the stubs that it depends on."""

    manifest: Document
    model: tuple[Document, ...]
    dependencies: tuple[Document, ...]
    transformations: tuple[Document, ...]


def line_of(content: object, keys: Keys) -> int:
    """Line (from 1) of the deepest of the keys that exists."""
    line = 0
    for key in keys:
        if isinstance(content, CommentedMap) and key in content:
            line = content.lc.key(key)[0]
        elif isinstance(content, CommentedSeq) and isinstance(key, int) and key < len(content):
            line = content.lc.item(key)[0]
        else:
            break
        content = content[key]
    return int(line) + 1


def spell_keys(keys: Keys) -> str:
    """A key path as people write it: `metrics[2].unit`."""
    spelt = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return spelt.lstrip(".") or "(top)"


def read_document(path: Path, folder: Path) -> Document:
    """One file as a mapping.

    Raises:
        ModelError: it is missing, no YAML, has a key twice, or is no mapping.
    """
    name = path.relative_to(folder.parent).as_posix()
    try:
        content = YAML(typ="rt").load(path)
    except FileNotFoundError:
        raise ModelError([f"{name}:1: (top): the file is missing"]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ModelError([f"{name}:{mark.line + 1 if mark else 1}: (top): {error.problem}"]) from error
    if not isinstance(content, CommentedMap):
        raise ModelError([f"{name}:1: (top): a mapping is expected"])
    return Document(name, content)


def read_sources(folder: Path) -> Sources:
    """Every file of the registry in `folder`, valid by the JSON Schema.

    Raises:
        ModelError: one or more files are wrong; all mistakes of the schema are reported at once.
    """
    schema = json.loads((folder / SCHEMA_PATH).read_text(encoding="utf-8"))
    manifest = read_document(folder / "manifest.yaml", folder)
    _refuse(_mistakes(manifest, {"$ref": "#/$defs/manifest", "$defs": schema["$defs"]}))
    model = tuple(read_document(path, folder) for path in sorted((folder / "model").glob("*.yaml")))
    stubs = tuple(_read_dependencies(manifest, folder))
    _refuse(mistake for document in (*model, *stubs) for mistake in _mistakes(document, schema))
    transformations = tuple(read_document(path, folder) for path in sorted((folder / "schemas").glob("*.yaml")))
    return Sources(manifest, model, stubs, transformations)


def _read_dependencies(manifest: Document, folder: Path) -> Iterable[Document]:
    for index, dependency in enumerate(manifest.content.get("dependencies", ())):
        stub = folder / dependency["registry_path"]
        stated = read_document(stub / "manifest.yaml", folder).content.get("schema_url")
        if stated != dependency["schema_url"]:
            keys = ("dependencies", index, "schema_url")
            raise ModelError([manifest.problem(keys, f"its manifest says {stated!r}")])
        yield from (read_document(path, folder) for path in sorted(stub.glob("*.yaml")) if path.name != "manifest.yaml")


def _refuse(mistakes: Iterable[str]) -> None:
    if problems := list(mistakes):
        raise ModelError(problems)


def _mistakes(document: Document, schema: dict[str, Any]) -> Iterable[str]:
    errors: Iterable[ValidationError] = Draft202012Validator(schema).iter_errors(document.content)
    for error in sorted(errors, key=lambda error: ([str(key) for key in error.absolute_path], error.message)):
        yield document.problem(tuple(error.absolute_path), _explain(error))


def _explain(error: ValidationError) -> str:
    """The schema's complaint; for a choice that failed, what is allowed."""
    if error.validator == "anyOf":
        return f"{error.instance!r} is not among the types that an attribute may have"
    return error.message
