"""What the page says beside the registry, read from its data files when asked for."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

SourceRecord = dict[str, str | int]


class Exclusion(NamedTuple):
    """What no estimate includes; `low` and `high` are its rough size in `unit`, None where nothing can be said."""

    key: str
    what: str
    low: float | None
    high: float | None
    unit: str
    basis: str
    """`source`, or `judgement` of ours."""
    argument: str
    sources: tuple[str, ...]


class Anchor(NamedTuple):
    """A published figure that a typical call must agree with; `published` names it among the disclosures."""

    published: str
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    whole_range: bool
    """Whether its low and high must lie within ours too, not only its mid."""
    about: str


class TypicalCall(NamedTuple):
    """A call that is typical in our judgement."""

    key: str
    words: str
    input_tokens: int
    output_tokens: int
    reasoning_tokens: int | None


class TypicalModel(NamedTuple):
    """A model for which methods are compared."""

    provider: str
    model: str


class Comparisons(NamedTuple):
    """What is compared, and why methods differ."""

    calls: tuple[TypicalCall, ...]
    queries_compare_with: str
    """The call that figures for an average query are held against."""
    models: tuple[TypicalModel, ...]
    differences: Mapping[str, str]


def exclusions() -> tuple[Exclusion, ...]:
    """What no estimate includes."""
    return tuple(
        Exclusion(**{**each, "sources": tuple(each["sources"])}) for each in _content("exclusions")["exclusions"]
    )


def exclusion_sources() -> Mapping[str, SourceRecord]:
    """Source id to the record of a source that only exclusions name."""
    found: Mapping[str, SourceRecord] = _content("exclusions")["sources"]
    return found


def anchors() -> tuple[Anchor, ...]:
    """The published figures that typical calls must agree with."""
    return tuple(Anchor(**each) for each in _content("anchors")["anchors"])


def prose(key: str, **values: str | int) -> str:
    """What the page says in words at a place, with its names filled in."""
    return Template(_content("prose")["prose"][key]).substitute(values)


def estimated() -> tuple[str, ...]:
    """What an estimate consists of."""
    return tuple(_content("prose")["estimated"])


def weaknesses() -> tuple[str, ...]:
    """Weaknesses that no check finds."""
    return tuple(_content("weaknesses")["weaknesses"])


def comparisons() -> Comparisons:
    """The typical calls."""
    content = _content("typical_calls")
    return Comparisons(
        tuple(TypicalCall(**each) for each in content["calls"]),
        content["queries_compare_with"],
        tuple(TypicalModel(**each) for each in content["models"]),
        content["differences"],
    )


@lru_cache(maxsize=8)
def _content(name: str) -> dict[str, Any]:
    text = (files("otel_carbon.methodology") / "data" / f"{name}.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
