from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

import otel_carbon.registry
from otel_carbon.errors import RegistryError
from otel_carbon.registry.compiled import compiled_bytes, parse_compiled, read_bundled, read_compiled
from tests.support.small_registry import SMALL, SOURCES, VERSION, bytes_of

DATA = Path(otel_carbon.registry.__path__[0]) / "data"
WHAT_TO_DO = "make one with `otel-carbon registry compile DIR -o FILE`"


def _document(**changes: Any) -> bytes:
    return json.dumps({"format": 1, "version": "1", "sources": {}, "facts": {}, **changes}).encode()


def test_what_is_compiled_is_read_back() -> None:
    compiled = parse_compiled(bytes_of(SMALL), "small.json")
    assert compiled.version == VERSION
    assert compiled.facts == {record["id"]: record for record in SMALL}
    assert compiled.sources == SOURCES


def test_the_digest_is_the_sha256_of_the_bytes() -> None:
    body = bytes_of(SMALL)
    assert parse_compiled(body, "small.json").digest == hashlib.sha256(body).hexdigest()


def test_the_bytes_do_not_depend_on_the_order_of_facts_or_fields() -> None:
    backwards = [dict(reversed(record.items())) for record in reversed(SMALL)]
    assert bytes_of(backwards) == bytes_of(SMALL)


def test_one_changed_digit_changes_the_digest() -> None:
    body = bytes_of(SMALL)
    changed = body.replace(b'"year": 2026', b'"year": 2025', 1)
    assert changed != body
    assert parse_compiled(changed, "a").digest != parse_compiled(body, "b").digest


def test_a_record_stands_on_a_line_of_its_own() -> None:
    lines = bytes_of(SMALL).decode().splitlines()
    for record in SMALL:
        assert sum(line.startswith(f'"{record["id"]}": {{') for line in lines) == 1


def test_text_that_is_not_ascii_survives() -> None:
    body = compiled_bytes("1", {}, {"zone/SWE@1": {"id": "zone/SWE@1", "note": "Sverige, Luleå"}})
    assert "Luleå".encode() in body
    assert parse_compiled(body, "small.json").facts["zone/SWE@1"]["note"] == "Sverige, Luleå"


def test_another_format_says_which_and_what_to_do() -> None:
    with pytest.raises(RegistryError) as refused:
        parse_compiled(_document(format=2), "old.json")
    assert str(refused.value) == "old.json: compiled registry format 2 is not 1; compile it again"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"format": 1}',
        b"sources:\n  lab: {}\n",
        bytes_of(SMALL)[:-3],
        _document(facts=[]),
        _document(facts={"grid/NOR@1": None}),
        _document(facts={"grid/NOR@1": {}}),
        _document(facts={"grid/NOR@1": {"id": "grid/SWE@1"}}),
        _document(sources={"lab": {"id": "office"}}),
        _document(sources=3),
    ],
)
def test_what_is_no_compiled_registry_is_refused_with_its_file_and_what_to_do(body: bytes) -> None:
    with pytest.raises(RegistryError) as refused:
        parse_compiled(body, "mine.json")
    assert str(refused.value).startswith("mine.json: no compiled registry (")
    assert str(refused.value).endswith(WHAT_TO_DO)


def test_a_file_is_read_like_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_bytes(bytes_of(SMALL))
    assert read_compiled(path) == parse_compiled(bytes_of(SMALL), "small.json")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.json"
    with pytest.raises(RegistryError) as refused:
        read_compiled(missing)
    assert str(refused.value) == f"{missing}: cannot read the registry: No such file or directory"


def test_what_is_no_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)  # opening one would wait for a writer
    for path in (tmp_path, pipe, Path(os.devnull)):
        with pytest.raises(RegistryError, match="is no file of at most 268,435,456 bytes; give a file that"):
            read_compiled(path)


def test_the_bundled_registry_is_in_canonical_form() -> None:
    bundled = read_bundled()
    aliases = json.loads((DATA / "registry.json").read_bytes())["aliases"]
    body = compiled_bytes(bundled.version, bundled.sources, bundled.facts, aliases)
    assert hashlib.sha256(body).hexdigest() == bundled.digest


def test_the_bundled_registry_read_line_by_line_is_the_whole_document() -> None:
    bundled = read_bundled()
    body = (DATA / "registry.json").read_bytes()
    whole = parse_compiled(body, "registry.json")
    assert (bundled.version, bundled.digest) == (whole.version, whole.digest)
    assert dict(bundled.facts) == dict(whole.facts)
    assert dict(bundled.sources) == dict(whole.sources)
    assert bundled.index == whole.index == json.loads(body)["index"]
