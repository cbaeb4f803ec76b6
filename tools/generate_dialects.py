"""Compiles the dialects from TOML into the JSON that the package reads, and writes the page that lists them."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
if str(REPOSITORY) not in sys.path:  # started as a file, Python looks beside it only
    sys.path.insert(0, str(REPOSITORY))

from otel_carbon.spans.dialect import COMPILED, COUNT_FIELDS, DERIVED_KEYS, EFFECTS, FIELDS, PATH_MARK  # noqa: E402 - after the path
from tools.dialects_markdown import dialects_page  # noqa: E402 - after the path

FOLDER = COMPILED.parent
PAGE = REPOSITORY / "docs" / "reference" / "dialects.md"
ORDER = (
    "openinference",
    "langfuse",
    "langsmith",
    "vercel-ai",
    "litellm",
    "logfire",
    "openlit",
    "azure-ai",
    "vllm",
    "openllmetry",
)
"""Dialects whose telltale keys are looked for first, the more particular before the more common; others come after."""
TEXT_LISTS = ("scopes", "markers", "telltale")


def main() -> None:
    """Write both files, or with `--check` only compare."""
    dialects, providers = authored(FOLDER)
    outputs = {COMPILED: compiled(dialects, providers), PAGE: dialects_page(_in_order(dialects), providers)}
    for path, text in outputs.items():
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path} is not what the dialects say; run: python tools/generate_dialects.py")


def authored(folder: Path) -> tuple[dict[str, tuple[Path, dict[str, Any]]], list[dict[str, Any]]]:
    """The dialects of a folder by name, each with its file, and the providers by name."""
    files = {path: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml"))}
    providers = [record for contents in files.values() for record in contents.get("provider", [])]
    dialects = {contents["name"]: (path, contents) for path, contents in files.items() if "name" in contents}
    return dialects, sorted(providers, key=lambda each: str(each["name"]))


def compiled(dialects: dict[str, tuple[Path, dict[str, Any]]], providers: list[dict[str, Any]]) -> str:
    """The compiled form, one record a line.

    Raises:
        SystemExit: a file says something that cannot be; the message names the file and the key.
    """
    records = [_record(contents["name"], dialects) for contents in _in_order(dialects)]
    return f'{{"dialects": [\n{_rows(records)}\n],\n"providers": [\n{_rows(providers)}\n]}}\n'


def _rows(records: list[dict[str, Any]]) -> str:
    return ",\n".join(json.dumps(record, sort_keys=True) for record in records)


def _in_order(dialects: dict[str, tuple[Path, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [dialects[name][1] for name in sorted(dialects, key=lambda name: (_rank(name), name))]


def _rank(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER) + (name == "gen-ai")


def _record(name: str, authored: dict[str, tuple[Path, dict[str, Any]]]) -> dict[str, Any]:
    path, contents = authored[name]
    base: dict[str, Any] = {"keys": {}, "operations": {}, "rules": [], "markers": [], "telltale": [], "scopes": []}
    if "extends" in contents:
        if contents["extends"] not in authored:
            sys.exit(f"{path}: extends: there is no dialect {contents['extends']!r}")
        base = _record(contents["extends"], authored)
    _check(path, contents)
    return {
        "name": name,
        "title": contents["title"],
        "trust": contents["trust"],
        **{key: contents.get(key, base[key]) for key in TEXT_LISTS},
        "keys": {**base["keys"], **contents.get("keys", {})},
        "operations": {**base["operations"], **contents.get("operations", {})},
        "rules": [
            *map(_rule, contents.get("rule", [])),
            *(base["rules"] if contents.get("inherit_rules", True) else []),
        ],
    }


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    when = {key: wanted if isinstance(wanted, bool) else list(wanted) for key, wanted in rule["when"].items()}
    return {"when": when, **{name: rule[name] for name in EFFECTS if name in rule}}


def _check(path: Path, contents: dict[str, Any]) -> None:
    allowed = {"name", "title", "extends", "inherit_rules", "trust", "keys", "operations", "rule", *TEXT_LISTS}
    for key in contents.keys() - allowed:
        sys.exit(f"{path}: {key}: no such key; there are {', '.join(sorted(allowed))}")
    for scope in contents.get("scopes", []):
        if scope.endswith("."):
            sys.exit(f"{path}: scopes: {scope!r} ends in a dot; name whole parts")
    for field, keys in contents.get("keys", {}).items():
        if field not in FIELDS:
            sys.exit(f"{path}: keys.{field}: no such field; there are {', '.join(FIELDS)}")
        if field not in COUNT_FIELDS and any(PATH_MARK in key for key in keys):
            sys.exit(f"{path}: keys.{field}: only counts are read from within JSON")
    for number, rule in enumerate(contents.get("rule", []), start=1):
        _check_rule(f"{path}: rule {number}", rule)


def _check_rule(where: str, rule: dict[str, Any]) -> None:
    for key in rule.keys() - {"note", "when", *EFFECTS}:
        sys.exit(f"{where}: {key}: no such key; there are note, when, {', '.join(EFFECTS)}")
    for effect, words in EFFECTS.items():
        if words and rule.get(effect, words[0]) not in words:
            sys.exit(f"{where}: {effect}: {rule[effect]!r} is none of {', '.join(words)}")
    for key, wanted in rule["when"].items():
        if key.startswith("@") and key not in DERIVED_KEYS:
            sys.exit(f"{where}: when.{key}: no such thing to ask for; there are {', '.join(DERIVED_KEYS)}")
        if PATH_MARK in key and not isinstance(wanted, bool):
            sys.exit(f"{where}: when.{key}: of a JSON member only the presence can be asked for")


if __name__ == "__main__":
    main()
