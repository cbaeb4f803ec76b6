"""A dialect made ready to read with: which attributes to fetch, and the profiles that their texts have come to."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_carbon import attributes as ours
from otel_carbon.spans import dialect as terms
from otel_carbon.spans.counts import json_members
from otel_carbon.spans.profile import ERROR_KEY, MAX_TEXT_CHARACTERS, Sayings, profile_of
from otel_carbon.spans.region import SPAN_REGION_KEY
from otel_carbon.spans.view import KIND_SERVER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from otel_carbon.spans.dialect import Dialect
    from otel_carbon.spans.profile import SpanProfile
    from otel_carbon.spans.view import AttributeSource, SpanView

MAX_PROFILES = 4096
_TEXT_TYPES = (str, bytes)
_LEAST_COUNTS = 5
_OUR_TEXTS = (ours.STATUS, ours.METERED_BOUNDARY, ERROR_KEY, SPAN_REGION_KEY)
_NO_KEY = "\0"
"""Stands where a dialect has no key for a count: nobody writes it."""


class Sources(NamedTuple):
    """The attributes that spans with the same keys are read from.

    Attributes:
        counts: the key of each count, `None` for one that the spans do not tell.
        response_id: the key of the response id.
        texts: the keys of the texts that recur.
    """

    counts: tuple[str | None, ...]
    response_id: str | None
    texts: tuple[str, ...]


class JsonMembers(NamedTuple):
    """Which members of a JSON attribute are wanted."""

    attribute_at: int
    paths: tuple[tuple[str, ...], ...]


class Plan:
    """Which keys to fetch for a dialect, and what comes of the texts that recur from span to span.

    What is fetched stands in a flat list: the first key of each count, the other keys of counts, response ids and keys
    of which only the presence matters, then the recurring texts, then members of JSON attributes.
    Rules are asked about `scope`, empty for spans of unknown scopes. All plans of a reader share `profiles`.
    """

    __slots__ = (
        "_at",
        "_models",
        "_presence_at",
        "_profiles",
        "_scope",
        "_tenant_at",
        "_tenant_key",
        "_texts_at",
        "_version_matters",
        "counts_at",
        "dialect",
        "json",
        "keys",
        "metered_at",
        "older_counts",
        "response_id_at",
    )

    def __init__(
        self,
        dialect: Dialect,
        scope: str,
        tenant_key: str,
        models: Mapping[str, str],
        profiles: dict[object, SpanProfile | None],
    ) -> None:
        self.dialect = dialect
        self._scope = scope
        self._tenant_key = tenant_key
        self._models = models
        by_text, by_presence = dialect.condition_keys()
        text_fields = (key for name in terms.TEXT_FIELDS for key in dialect.keys[name])
        texts = tuple(dict.fromkeys((*_OUR_TEXTS, tenant_key, *by_text, *text_fields)))
        counts = [dialect.keys[name] for name in terms.COUNT_FIELDS]
        others = dict.fromkeys(
            (*chain.from_iterable(counts), *dialect.keys["response_id"], *by_presence, ours.METERED_ENERGY_KWH)
        )
        members = _members_by_holder(others)
        plain = [key for key in {**others, **members} if terms.PATH_MARK not in key and key not in texts]
        heads = _first_keys(counts, plain)
        self.keys = (*heads, *(key for key in plain if key not in heads), *texts)
        self._texts_at = slice(len(self.keys) - len(texts), len(self.keys))
        self._tenant_at = texts.index(tenant_key)
        self._at = {key: i for i, key in enumerate((*self.keys, *chain.from_iterable(members.values())))}
        self.json = tuple(JsonMembers(self._at[holder], _paths(keys)) for holder, keys in members.items())
        self.counts_at = slice(len(heads))
        self.older_counts = tuple(
            (field, self._at[key])
            for field, keys in enumerate(counts)
            for key in keys
            if heads[field : field + 1] != (key,)
        )
        self.metered_at = self._at[ours.METERED_ENERGY_KWH]
        self.response_id_at = tuple(self._at[key] for key in dialect.keys["response_id"])
        self._presence_at = tuple(self._at[key] for key in by_presence)
        self._version_matters = any(each.key == terms.VERSION for rule in dialect.rules for each in rule.when)
        self._profiles = profiles

    def add_members(self, attributes: AttributeSource, fetched: list[Any]) -> None:
        """Decode members of JSON attributes, behind the values of the other keys."""
        for holder in self.json:
            fetched += json_members(attributes.decode(fetched[holder.attribute_at]), holder.paths)

    def counts_of(self, fetched: list[Any]) -> list[Any]:
        """The counts among what was fetched, each from the first of its keys that is there."""
        counts = fetched[self.counts_at]
        for field, at in self.older_counts:
            if counts[field] is None:
                counts[field] = fetched[at]
        return counts

    def sources(self, present: Collection[str]) -> Sources | None:
        """What spans with these keys, and values behind all of them, are read from; `None` where JSON is to be read."""
        fetched: list[Any] = [key if key in present else None for key in self.keys]
        if any(fetched[holder.attribute_at] for holder in self.json):
            return None
        fetched += [None] * sum(len(holder.paths) for holder in self.json)
        texts = tuple(key for key in fetched[self._texts_at] if key is not None)
        response_ids = [fetched[at] for at in self.response_id_at]
        return Sources(tuple(self.counts_of(fetched)), next(filter(None, response_ids), None), texts)

    def profile(self, span: SpanView, fetched: list[Any], known: tuple[bool, ...]) -> SpanProfile | None:
        """What the recurring texts say, worked out once for each combination; `None` for no GenAI span.

        `known` says which counts the span carries.
        """
        texts = fetched[self._texts_at]
        present = tuple([fetched[at] is None for at in self._presence_at]) if self._presence_at else ()
        version = span.scope_version if self._version_matters else ""
        key = (self, span.kind, span.failed, version, known, present, *texts)
        try:
            return self._profiles[key]
        except KeyError:
            found = self._worked_out(span, fetched, known)
        except TypeError:  # an array or map where a text should be
            return self._worked_out(span, fetched, known)
        if may_be_kept(span, texts) and not isinstance(texts[self._tenant_at], bool):  # `True` equals 1
            if len(self._profiles) >= MAX_PROFILES:
                self._profiles.clear()
            self._profiles[key] = found
        return found

    def _worked_out(self, span: SpanView, fetched: list[Any], known: tuple[bool, ...]) -> SpanProfile | None:
        decode, texts = span.attributes.decode, self._texts_at
        found = {key: decode(fetched[at]) for key, at in self._at.items() if texts.start <= at < texts.stop}
        others = ((key, at) for key, at in self._at.items() if key not in found and at in self._presence_at)
        found |= {key: True for key, at in others if fetched[at] is not None}
        said = Sayings(self.dialect, self._scope, found, known)
        return profile_of(span, said, self._tenant_key, self._models)


def may_be_kept(span: SpanView, texts: Iterable[object | None]) -> bool:
    """Whether what recurring texts say may be kept: they are short, and a server's region may be its resource's."""
    return span.kind != KIND_SERVER and all(map(_is_short_text, texts))


def _first_keys(counts: list[tuple[str, ...]], plain: list[str]) -> tuple[str, ...]:
    """The first key of each count, as far as the dialect has any; `_NO_KEY` where it is no attribute of its own."""
    used = max(i for i, keys in enumerate(counts, start=1) if keys or i == _LEAST_COUNTS)
    firsts: list[str] = []
    for keys in counts[:used]:
        own = bool(keys) and keys[0] in plain and keys[0] not in firsts
        firsts.append(keys[0] if own else _NO_KEY)
    return tuple(firsts)


def _members_by_holder(keys: Iterable[str]) -> dict[str, list[str]]:
    """Keys of JSON members, by the attribute that holds them."""
    members: dict[str, list[str]] = {}
    for key in keys:
        holder, mark, _ = key.partition(terms.PATH_MARK)
        if mark:
            members.setdefault(holder, []).append(key)
    return members


def _paths(member_keys: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(key.partition(terms.PATH_MARK)[2].split(".")) for key in member_keys)


def _is_short_text(stored: object | None) -> bool:
    return (
        stored is None
        or isinstance(stored, bool)
        or (isinstance(stored, _TEXT_TYPES) and len(stored) <= MAX_TEXT_CHARACTERS)
    )
