from __future__ import annotations

import json

import pytest

from otel_carbon.capture.wire import json_picker
from otel_carbon.capture.wire.json_picker import JsonPicker, pick
from otel_carbon.capture.wire.json_tree import Picked, tree_of

TREE = tree_of("usage", "model", "response.usage", "response.id")


def picked(text: bytes, size: int | None = None) -> Picked:
    """What the picker finds in a text that comes in pieces of a size, or in one."""
    picker = JsonPicker(TREE)
    step = size or max(1, len(text))
    for at in range(0, len(text), step):
        picker.feed(text[at : at + step])
    return picker.take()


def test_a_tree_has_a_branch_for_each_part_of_a_path() -> None:
    assert tree_of("a", "b.c", "b.d") == {"a": "a", "b": {"c": "b.c", "d": "b.d"}}


@pytest.mark.parametrize("size", [None, 1, 2, 3, 7])
def test_wanted_members_are_found_wherever_the_text_is_cut(size: int | None) -> None:
    text = b'{"model": "m", "choices": [{"usage": 1, "x": [{}, "]"]}], "response": {"id": "r"}, "usage": {"n": [1, 2]}}'
    assert picked(text, size) == {"model": "m", "response.id": "r", "usage": {"n": [1, 2]}}
    assert pick(text, TREE) == picked(text, size)


@pytest.mark.parametrize("size", [None, 1, 2, 3])
@pytest.mark.parametrize(
    "said",
    ['"usage": {"n": 1}', '\\", "usage": {"n": 2}, "', "\\", "\\\\", '{"', "\u00e9\u2028\U0001f600", '"', "\\u0022"],
)
def test_what_a_model_says_is_no_member(said: str, size: int | None) -> None:
    document = {"content": said, "usage": {"n": 3}, "more": said}
    for ascii_only in (True, False):
        assert picked(json.dumps(document, ensure_ascii=ascii_only).encode(), size) == {"usage": {"n": 3}}


def test_a_member_of_the_same_name_further_in_is_another() -> None:
    text = b'{"input": {"usage": {"n": 1}, "response": {"usage": 2}}, "response": {"input": {"id": "x"}}}'
    assert picked(text) == pick(text, TREE) == {}


def test_of_a_list_all_texts_are_read_and_the_last_word_counts() -> None:
    text = b'[{"usage": {"n": 1}, "model": "m"}, "usage", [{"usage": 7}], {"usage": {"n": 2}}, {"usage": null}]'
    assert picked(text, 5) == pick(text, TREE) == {"usage": {"n": 2}, "model": "m"}


@pytest.mark.parametrize(
    "text", [b"", b"null", b"17", b'"usage"', b"[]", b"{}", b'{"usage": null}', b"\xff\xfe", b"]}"]
)
def test_where_nothing_is_wanted_nothing_is_found(text: bytes) -> None:
    assert picked(text) == pick(text, TREE) == {}


@pytest.mark.parametrize(
    "text",
    [b'{"usage": {"n": 1', b'{"usage": {"n": }}', b'{"usage": tru}', b'{"usage" {"n": 1}}', b'{"usage": "half'],
)
def test_half_a_value_is_none(text: bytes) -> None:
    assert picked(text) == pick(text, TREE) == {}


def test_a_cut_text_tells_what_came_before_the_cut() -> None:
    assert picked(b'{"model": "m", "usage": {"n": 1') == {"model": "m"}


def test_the_next_text_begins_anew() -> None:
    picker = JsonPicker(TREE)
    picker.feed(b'{"model": "m", "open": [{"usage": "')
    assert picker.take() == {"model": "m"}
    picker.feed(b'{"usage": 5}')
    assert picker.take() == {"usage": 5}


def test_a_long_text_is_searched_and_not_parsed() -> None:
    text = json.dumps({"content": "x" * json_picker.MAX_WHOLE_BYTES, "usage": {"n": 1}}).encode()
    assert pick(text, TREE) == {"usage": {"n": 1}}


def test_a_value_longer_than_any_usage_object_is_given_up() -> None:
    text = json.dumps({"usage": "x" * json_picker.MAX_VALUE_BYTES, "model": "m"}).encode()
    assert picked(text) == picked(text, 100) == {"model": "m"}


def test_a_hundred_kilobytes_of_a_name_a_string_or_of_nesting_leave_nothing_behind() -> None:
    picker = JsonPicker(TREE)
    for text in (
        b'{"' + b"n" * 100_000,
        b'{"a": "' + b"s" * 100_000,
        b'{"usage": {"a": "' + b"u" * 100_000,
        b"[" * 100_000,
    ):
        picker.feed(text)
        assert held_bytes(picker) <= json_picker.MAX_VALUE_BYTES
        picker.take()


def held_bytes(picker: JsonPicker) -> int:
    """All bytes and texts that a picker holds."""
    held = [getattr(picker, name) for name in JsonPicker.__slots__ if name != "_tree"]
    texts = [each for each in held if isinstance(each, str | bytes | bytearray)]
    return sum(map(len, texts)) + len(json.dumps(picker._found)) + len(picker._levels)
