"""The registry: dated facts by id and by what they are about, as known on any day."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from otel_carbon.errors import RegistryError, UnknownFact
from otel_carbon.registry import compiled
from otel_carbon.registry.facts import FACT_KINDS, Fact, Source, fact_from_record, kind_of, source_from_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from otel_carbon.registry.compiled import CompiledRegistry

F = TypeVar("F", bound=Fact)
VERSION_DIGEST_CHARACTERS = 12


class Registry:
    """Facts by id and by subject, with one version and digest; objects are built when first asked for.

    `layers` are compiled registries, later ones (overlays) winning over earlier ones.
    With `known_on`, facts published after that day do not exist.

    Raises:
        RegistryError: an overlay redefines a fact id or a source id.
    """

    def __init__(self, layers: tuple[CompiledRegistry, ...], known_on: date | None = None) -> None:
        self._layers = layers
        self.known_on = known_on
        self.digest = _combined_digest(layers)
        self.version = f"{layers[0].version}+{self.digest[:VERSION_DIGEST_CHARACTERS]}"
        _refuse_redefinitions(layers)
        self._facts: dict[str, Fact] = {}

    @classmethod
    def bundled(cls) -> Registry:
        """The registry that this package ships, read once."""
        return _bundled()

    @classmethod
    def from_file(cls, path: Path) -> Registry:
        """A whole registry from a compiled file.

        Raises:
            RegistryError: the file is unreadable, or holds a malformed fact.
        """
        from otel_carbon.registry.overlay_check import check_overlay  # most applications read the bundled one

        layer = compiled.read_compiled(path)
        check_overlay(layer, (), path)
        return cls((layer,))

    def with_overlay(self, path: Path) -> Registry:
        """This registry with a compiled file of further facts on top.

        Raises:
            RegistryError: the file is unreadable, holds a malformed source, fact or alias, or redefines an id.
        """
        from otel_carbon.registry.overlay_check import check_overlay  # most applications have no overlay

        overlay = compiled.read_compiled(path)
        check_overlay(overlay, {name for layer in self._layers for name in layer.sources}, path)
        return Registry((*self._layers, overlay), self.known_on)

    def as_of(self, day: date) -> Registry:
        """This registry as it was known on a day: without the facts published later."""
        return Registry(self._layers, day)

    def fact(self, fact_id: str) -> Fact:
        """The fact with an id.

        Raises:
            UnknownFact: there is none, or it was not known yet.
        """
        fact = self._facts.get(fact_id)
        if fact is None:
            record = self._record(fact_id)
            if record is None or not self._is_known(record):
                msg = f"no fact {fact_id!r} in registry {self.version}; `otel-carbon registry list` shows all"
                raise UnknownFact(msg)
            fact = self._facts[fact_id] = fact_from_record(record)
        return fact

    def facts(self, kind: str | None = None) -> Iterator[Fact]:
        """All facts known, or those of one kind, in the order of their ids."""
        for fact_id in sorted(fact_id for layer in self._layers for fact_id in layer.facts):
            if kind in (None, kind_of(fact_id)) and self._is_known(self._record(fact_id) or {}):
                yield self.fact(fact_id)

    def current(self, kind: type[F]) -> tuple[F, ...]:
        """The facts of a class that no other known fact supersedes, in the order of their ids."""
        found = [cast("F", fact) for fact in self.facts(_KIND_OF[kind])]
        superseded = {fact.supersedes for fact in found}
        return tuple(fact for fact in found if fact.id not in superseded)

    def source(self, source_id: str) -> Source:
        """The source with an id.

        Raises:
            UnknownFact: there is none.
        """
        for layer in self._layers:
            if source_id in layer.sources:
                return source_from_record(layer.sources[source_id])
        msg = f"no source {source_id!r} in registry {self.version}"
        raise UnknownFact(msg)

    def sources(self) -> Iterator[Source]:
        """All sources, in the order of their ids."""
        return (
            self.source(source_id) for source_id in sorted({name for layer in self._layers for name in layer.sources})
        )

    def about(self, kind: type[F], subject: str, day: date | None) -> F | None:
        """The fact of a class about a subject that applies on a day (any day if `None`), else `None`.

        A superseded fact is passed over; of several, the overlay's, then the latest `valid_from`, wins.
        """
        ids = self._layers[0].about(_KIND_OF[kind], subject := subject.lower())
        if len(ids) < 2 and len(self._layers) == 1 and self.known_on is None:  # as nearly always
            only = cast("F", self.fact(ids[0])) if ids else None
            return only if only is None or day is None or only.applies_at(day) else None
        best: F | None = None
        best_rank: tuple[int, date, date, str] | None = None
        for layer, fact in self._claimants(kind, subject):
            rank = (layer, fact.valid_from, fact.published, fact.id)
            if (day is None or fact.applies_at(day)) and (best_rank is None or rank > best_rank):
                best, best_rank = fact, rank
        return best

    def subjects(self, kind: str) -> Iterator[str]:
        """What the facts of a kind are about, in lower case, each once."""
        seen: set[str] = set()
        for layer in self._layers:
            for subject in layer.index.get(kind, ()):
                if subject not in seen:
                    seen.add(subject)
                    yield subject

    def _claimants(self, kind: type[F], subject: str) -> Iterator[tuple[int, F]]:
        """The known facts of a class about a subject that no other of them supersedes, each with its layer."""
        found = [
            (number, fact_id, record)
            for number, layer in enumerate(self._layers)
            for fact_id in layer.about(_KIND_OF[kind], subject)
            if self._is_known(record := layer.facts[fact_id])
        ]
        superseded = {record["supersedes"] for _, _, record in found}
        for number, fact_id, _ in found:
            if fact_id not in superseded:
                yield number, cast("F", self.fact(fact_id))

    def _record(self, fact_id: str) -> Mapping[str, Any] | None:
        return next((layer.facts[fact_id] for layer in self._layers if fact_id in layer.facts), None)

    def _is_known(self, record: Mapping[str, Any]) -> bool:
        return self.known_on is None or record["published"] <= self.known_on.isoformat()


_KIND_OF: dict[type[Fact], str] = {shape: kind for kind, shape in FACT_KINDS.items()}


@lru_cache(maxsize=1)
def _bundled() -> Registry:
    return Registry((compiled.read_bundled(),))


def _combined_digest(layers: tuple[CompiledRegistry, ...]) -> str:
    if len(layers) == 1:
        return layers[0].digest
    return hashlib.sha256("\n".join(layer.digest for layer in layers).encode()).hexdigest()


def _refuse_redefinitions(layers: tuple[CompiledRegistry, ...]) -> None:
    """Raise where an overlay says something else of an id that a layer below it has."""
    for number, layer in enumerate(layers):
        for below in layers[:number]:
            if twice := sorted(below.facts.keys() & layer.facts.keys()):
                msg = f"an overlay redefines {', '.join(twice)}; give its fact an id of its own, with `supersedes`"
                raise RegistryError(msg)
            for source_id in sorted(below.sources.keys() & layer.sources.keys()):
                if below.sources[source_id] != layer.sources[source_id]:
                    msg = f"an overlay redefines the source {source_id!r}; give it an id of its own"
                    raise RegistryError(msg)
