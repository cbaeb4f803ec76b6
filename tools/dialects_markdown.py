"""The reference page of dialects: what is read of the spans of each family, and by which rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_carbon.spans.dialect import EFFECTS, FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_INTRODUCTION = """# Dialects

How the spans of each family of instrumentations are read.
A span is read by the dialect of its instrumentation scope; of several that fit, the one that names the longest part.
Spans of other scopes are read by the first dialect of which they carry a telltale key, in the order of this page.
Of several keys for one thing the first that is present counts; `key#a.b` is a member of the JSON text in an attribute.
Rules are tried in order, and of those that say something of one matter the first counts; inherited rules come last.

A dialect is a file in `otel_carbon/spans/dialects/`; see [how to add one](../../CONTRIBUTING.md#add-a-dialect).
"""


def dialects_page(records: Iterable[Mapping[str, Any]], providers: Iterable[Mapping[str, Any]]) -> str:
    """The page, from authored dialects in the order in which they are tried, and the providers."""
    parts = [_INTRODUCTION, *(_dialect(record) for record in records), _providers(providers)]
    return "\n".join(parts)


def _dialect(record: Mapping[str, Any]) -> str:
    lines = [f"## {record['title']}", "", f"`{record['name']}`, trust {record['trust']}."]
    if "extends" in record:
        without = ", but not by its rules" if not record.get("inherit_rules", True) else ""
        lines.append(f"Reads all that `{record['extends']}` reads, unless said otherwise here{without}.")
    for name, label in (("scopes", "Scopes"), ("telltale", "Telltale keys")):
        if record.get(name):
            lines += ["", f"{label}: {_codes(record[name])}."]
    keys = record.get("keys", {})
    if keys:
        lines += ["", "| what | keys |", "| --- | --- |"]
        lines += [f"| {field} | {_codes(keys[field]) or 'not read'} |" for field in FIELDS if field in keys]
    if record.get("rule"):
        lines += ["", "| when | then | why |", "| --- | --- | --- |"]
        lines += [_rule(rule) for rule in record["rule"]]
    return "\n".join([*lines, ""])


def _rule(rule: Mapping[str, Any]) -> str:
    when = " and ".join(_condition(key, wanted) for key, wanted in rule["when"].items()) or "always"
    then = ", ".join(f"{effect}: `{rule[effect]}`" for effect in EFFECTS if effect in rule)
    return f"| {when} | {then} | {rule.get('note', '')} |"


def _condition(key: str, wanted: bool | list[str]) -> str:
    if isinstance(wanted, bool):
        return f"`{key}` is {'present' if wanted else 'absent'}"
    return f"`{key}` is {' or '.join(f'`{each}`' for each in wanted)}"


def _providers(providers: Iterable[Mapping[str, Any]]) -> str:
    lines = [
        "## Providers",
        "",
        "Other spellings of a provider's name, and hosts that give it away; a known host wins over the span's word.",
        "",
        "| provider | spellings | hosts |",
        "| --- | --- | --- |",
    ]
    lines += map(_provider, providers)
    return "\n".join([*lines, ""])


def _provider(record: Mapping[str, Any]) -> str:
    return f"| {record['name']} | {_codes(record['spellings'])} | {_codes(record['hosts'])} |"


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)
