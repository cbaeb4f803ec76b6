"""Checks of a compiled file that is not ours, so that its mistakes show when it is read and not at some call."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING

from otel_carbon.core.interval import Interval
from otel_carbon.errors import RegistryError
from otel_carbon.registry.facts import Fact, Fallback, Source, fact_from_record, source_from_record

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from otel_carbon.registry.compiled import CompiledRegistry

MALFORMED = (KeyError, TypeError, ValueError, AttributeError)
LEVELS = ("family", "size_class", "generic", "none")
_SHAPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (float, int),
    "date": (date,),
    "Interval": (Interval,),
    "tuple[str, ...]": (tuple,),
}


def check_overlay(overlay: CompiledRegistry, known_sources: Collection[str], path: Path) -> None:
    """Build each source and fact of an overlay once.

    Args:
        overlay: the file as it was read.
        known_sources: the ids of the sources below it.
        path: the file named in errors.

    Raises:
        RegistryError: one is malformed, or names a source that nobody has.
    """
    sources = {*known_sources, *overlay.sources}
    for source_id, record in overlay.sources.items():
        try:
            _check_types(source_from_record(record))
        except MALFORMED as error:
            raise _refusal(path, "source", source_id, error) from error
    for fact_id, record in overlay.facts.items():
        try:
            fact = fact_from_record(record)
            _check_types(fact)
            _check_fact(fact, sources)
        except MALFORMED as error:
            raise _refusal(path, "fact", fact_id, error) from error


def _refusal(path: Path, kind: str, named: str, error: Exception) -> RegistryError:
    return RegistryError(
        f"{path}: the {kind} {named!r} is malformed ({error}); "
        "make the file again with `otel-carbon registry compile DIR -o FILE`"
    )


def _check_types(made: Fact | Source) -> None:
    for field in fields(made):
        content = getattr(made, field.name)
        type_name = str(field.type)
        if content is None and type_name.endswith("| None"):
            continue
        shapes = _SHAPES[type_name.removesuffix(" | None")]
        if not isinstance(content, shapes) or (isinstance(content, bool) and bool not in shapes):
            msg = f"{field.name} is {content!r}, no {type_name}"
            raise TypeError(msg)
        if isinstance(content, tuple) and not all(isinstance(part, str) for part in content):
            msg = f"{field.name} holds something that is no text"
            raise TypeError(msg)


def _check_fact(fact: Fact, sources: set[str]) -> None:
    if strangers := sorted(set(fact.sources) - sources):
        msg = f"it names the source {strangers[0]!r}, which neither this file nor the registry below it has"
        raise ValueError(msg)
    if isinstance(fact, Fallback) and fact.level not in LEVELS:
        msg = f"its level is {fact.level!r}, none of {', '.join(LEVELS)}"
        raise ValueError(msg)
