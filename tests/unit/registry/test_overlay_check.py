"""Compiled files of others: each mistake is refused when the file is read, with its name and what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from otel_carbon.errors import RegistryError
from otel_carbon.registry.authoring.compile import compile_directory
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.compiled import read_bundled
from otel_carbon.registry.ladder import match_model

if TYPE_CHECKING:
    from pathlib import Path

FACT = "energy/acme/acme-7b@2026"
FALLBACK = "fallback/family/acme@2026"
YAML = """\
version: acme-1
sources:
  acme-2026: {accessed: 2026-11-20, licence: own data, producer: Acme, redistributable: facts, title: Sizes,
    url: https://acme.example, year: 2026}
shared: {published: 2026-11-20, sources: [acme-2026], valid_from: 2026-01-01}
facts:
  energy/acme/acme-7b@2026: {aliases: [], boundary: it, developer: acme, family: acme, models: [acme-7b],
    open_weights: false, operations: [chat], size_evidence: name, sized_by: method/parametric@2026-11-26,
    active_b: {low: 7, high: 7}, total_b: {low: 7, high: 7}}
  fallback/family/acme@2026: {evidence: assumed, level: family, name: acme, open_weights: false, operations: [chat],
    patterns: ['acme-*']}
"""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    directory = tmp_path_factory.mktemp("acme")
    (directory / "facts.yaml").write_text(YAML, encoding="utf-8")
    compiled: dict[str, Any] = json.loads(compile_directory(directory, read_bundled()))
    return compiled


def loaded(tmp_path: Path, body: bytes) -> Registry:
    path = tmp_path / "acme.json"
    path.write_bytes(body)
    return Registry.bundled().with_overlay(path)


def refusal(tmp_path: Path, body: bytes) -> str:
    with pytest.raises(RegistryError) as caught:
        loaded(tmp_path, body)
    return str(caught.value)


def changed(document: dict[str, Any], path: tuple[str, ...], content: object) -> bytes:
    """The document with another content at a path."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    *above, last = path
    part = copy
    for name in above:
        part = part[name]
    part[last] = content
    return json.dumps(copy).encode()


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        (("facts", FACT, "valid_from"), None, "valid_from is None, no date"),
        (("facts", FACT, "operations"), None, "operations is None, no tuple[str, ...]"),
        (("facts", FACT, "output_wh_per_ktoken"), 5, "output_wh_per_ktoken is 5, no Interval"),
        (("facts", FACT, "output_wh_per_ktoken"), {"low": -1, "mid": 1, "high": 2}, "0 <= low <= mid <= high"),
        (("facts", FACT, "open_weights"), "yes", "open_weights is 'yes', no bool"),
        (("facts", FACT, "output_usd_per_mtok"), True, "output_usd_per_mtok is True, no float | None"),
        (("facts", FACT, "sources"), ["nobody"], "it names the source 'nobody'"),
        (("facts", FACT, "sources"), [5], "sources holds something that is no text"),
        (("facts", FALLBACK, "level"), "kin", "its level is 'kin'"),
        (("sources", "acme-2026", "year"), "2026", "year is '2026', no int"),
        (("sources", "other"), {"id": "other"}, "the source 'other' is malformed (Source needs 'producer')"),
        (("aliases",), {"acme": "energy/acme/gone@2026"}, "the alias 'acme' names 'energy/acme/gone@2026'"),
        (("aliases",), {"acme": FALLBACK}, f"the alias 'acme' names '{FALLBACK}', which is no energy fact"),
        (("aliases",), ["acme"], "no compiled registry"),
        (("version",), 5, "version is 5, no text"),
    ],
)
def test_a_malformed_part_is_named(
    document: dict[str, Any], tmp_path: Path, path: tuple[str, ...], content: object, said: str
) -> None:
    message = refusal(tmp_path, changed(document, path, content))
    assert message.startswith(f"{tmp_path / 'acme.json'}: ")
    assert said in message
    assert "otel-carbon registry compile DIR -o FILE" in message


@pytest.mark.parametrize("body", [b"", b"\xff", b"[" * 100_000, b"[1]", b"null"])
def test_what_is_no_registry_is_refused(tmp_path: Path, body: bytes) -> None:
    assert "no compiled registry" in refusal(tmp_path, body)


def test_an_index_that_lies_or_is_missing_changes_nothing(document: dict[str, Any], tmp_path: Path) -> None:
    bodies = [
        changed(document, ("index",), {"energy": {"gpt-4o": [0]}}),
        changed(document, ("index",), []),
        json.dumps({key: part for key, part in document.items() if key not in ("index", "aliases")}).encode(),
    ]
    for body in bodies:
        registry = loaded(tmp_path, body)
        ids = [match_model(registry, model, "chat", None) for model in ("acme-7b", "gpt-4o")]
        assert [match and match.fact.id for match in ids] == [FACT, "energy/openai/gpt-4o@2026-11-26"]
