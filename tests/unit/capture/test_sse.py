from __future__ import annotations

import json

import pytest

from otel_carbon.capture.wire.json_tree import Picked, tree_of
from otel_carbon.capture.wire.sse import MAX_HELD_BYTES, MAX_NAMING_TEXTS, NO_FIELD, SSE_FIELD, LineFramer, TextFramer

TREE = tree_of("id", "usage")
MARK = b'_tokens"'
DELTA = b'data: {"id": "r", "delta": "hello"}\n\n'
USAGE = b'data: {"id": "r", "usage": {"input_tokens": 7}}\n\n'
TOLD: Picked = {"id": "r", "usage": {"input_tokens": 7}}


def fed(body: bytes, size: int, field: bytes = SSE_FIELD, naming_texts: int = 0) -> list[Picked]:
    framer = LineFramer(TREE, MARK, "usage", field)
    framer.naming_texts = naming_texts
    found = [each for at in range(0, len(body), size) for each in framer.feed(body[at : at + size])]
    return [*found, *(last for last in framer.close() if last)]


@pytest.mark.parametrize("size", [1, 3, 40, 10_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_usage_is_found_wherever_the_body_is_cut_and_however_lines_end(size: int, end: bytes) -> None:
    body = (DELTA + b": comment\nevent: done\nid: 7\nretry: 5\n" + USAGE + b"data: [DONE]\n\n").replace(b"\n", end)
    assert TOLD["usage"] in [found.get("usage") for found in fed(body, size)]


def test_texts_without_usage_are_passed_over_once_the_names_are_known() -> None:
    assert fed(DELTA * 3, 10_000) == []
    assert fed(DELTA * 3, 10_000, naming_texts=2) == [{"id": "r"}] * 2


def test_names_are_looked_for_in_the_first_texts_only() -> None:
    framer = LineFramer(TREE, MARK, "usage")
    found = [each for _ in range(50) for each in framer.feed(DELTA)]
    assert found == [{"id": "r"}] * MAX_NAMING_TEXTS


@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_lines_of_json_need_no_field(size: int) -> None:
    body = DELTA.removeprefix(SSE_FIELD) + USAGE.removeprefix(SSE_FIELD)
    assert TOLD["usage"] in [found.get("usage") for found in fed(body, size, NO_FIELD)]


def test_the_text_that_the_end_of_the_body_cuts_off_tells_what_it_can() -> None:
    assert fed(USAGE.rstrip(), 20) == [TOLD]
    assert fed(USAGE[:-4], 20) == [{"id": "r"}]


@pytest.mark.parametrize(
    "line", [b"data", b"data:", b"dat: {}", b"data: {", b"data: \xff", b'id: {"usage": {"x_tokens": 1}}']
)
def test_other_lines_and_broken_ones_tell_nothing(line: bytes) -> None:
    for size in (1, 2, 100):
        assert fed(line + b"\n\n", size, naming_texts=8) == []


def test_a_line_of_ten_megabytes_is_passed_over_without_being_kept() -> None:
    framer = LineFramer(TREE, MARK, "usage")
    piece = b"x" * 65_536
    framer.feed(b'data: {"delta": "')
    for _ in range(160):
        framer.feed(piece)
    assert len(json.dumps(framer._picker._found)) + len(framer._picker._capture) + len(framer._start) < 100
    assert framer.feed(b'", "id": "r", "usage": {"input_tokens": 7}}\n\n') == [TOLD]


def test_a_whole_text_tells_at_its_end() -> None:
    framer = TextFramer(TREE)
    assert [framer.feed(b'{"usage": {"input_to'), framer.feed(b'kens": 7}, "id": "r"}')] == [(), ()]
    assert framer.close() == (TOLD,)


def test_of_pieces_with_usage_the_last_is_read_when_it_is_asked_for() -> None:
    framer = LineFramer(TREE, MARK, "usage")
    framer.naming_texts = 0
    earlier = USAGE.replace(b"7", b"3")
    assert [framer.feed(earlier), framer.feed(USAGE), framer.feed(DELTA)] == [(), (), ()]
    assert list(framer.settle()) == [{"usage": {"input_tokens": 7}}]
    assert list(framer.settle()) == []
    framer.feed(earlier)
    assert list(framer.close()) == [{"usage": {"input_tokens": 3}}, {}]


def test_nothing_but_the_usage_of_a_piece_is_held() -> None:
    framer = LineFramer(TREE, MARK, "usage")
    framer.naming_texts = 0
    usage = b'{"input_tokens": 7, "details": {"cached_tokens": 2}, "cost": [{"a": 1}]}'
    framer.feed(b'data: {"delta": "secret", "usage" : ' + usage + b', "more": "secret"}\n\n')
    assert framer._held == usage


def test_a_piece_that_is_held_comes_before_one_that_is_read_at_once() -> None:
    framer = LineFramer(TREE, MARK, "usage")
    framer.naming_texts = 0
    framer.feed(USAGE.replace(b"7", b"3"))
    found = [*framer.feed(USAGE[:20]), *framer.feed(USAGE[20:])]
    assert found == [{"usage": {"input_tokens": 3}}, TOLD]


LONG = b'{"input_tokens": 7, "x": "' + b"x" * MAX_HELD_BYTES + b'"}'


@pytest.mark.parametrize("usage", [LONG, b'{"a_tokens": {"b": {}}}'])
def test_a_usage_object_that_is_long_or_deep_is_read_at_once(usage: bytes) -> None:
    framer = LineFramer(TREE, MARK, "usage")
    framer.naming_texts = 0
    assert framer.feed(b'data: {"usage": ' + usage + b"}\n\n") == [{"usage": json.loads(usage)}]
    assert framer._held == b""
