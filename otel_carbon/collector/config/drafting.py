"""Read the sections of a configuration into models, one by one, so that one mistake hides no other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from otel_carbon.collector.config.check import Draft
from otel_carbon.collector.config.document import (
    COMPONENT_TYPES,
    REQUIRED_SECTIONS,
    PipelineConfig,
    ServiceConfig,
    component_type,
)
from otel_carbon.collector.config.messages import KEY_ITSELF, problem_message
from otel_carbon.collector.config.source.masking import is_secret
from otel_carbon.collector.config.text import KeyPath, Plain, Problem, ancestors, suggestion
from otel_carbon.collector.config.upstream import advice_on_component, advice_on_key, advice_on_section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

    from otel_carbon.collector.config.source.read import ConfigSource

_SECTIONS = (*COMPONENT_TYPES, "service")
_COMPONENT_ID = re.compile(r"[^/\s]+(/[^/\s]+)?")


def read_draft(source: ConfigSource, problems: list[Problem]) -> Draft:
    """Read all sections; what is wrong is appended to `problems`, and what is right is in the draft."""
    return _Reading(source, problems).draft()


@dataclass(frozen=True, slots=True)
class _Reading:
    """Turns plain values into models, and notes what is wrong with them."""

    source: ConfigSource
    problems: list[Problem]

    def draft(self) -> Draft:
        sections = self._sections()
        declared: dict[str, tuple[str, ...]] = {}
        components: dict[str, dict[str, BaseModel]] = {}
        for section in COMPONENT_TYPES:
            entries = sections.get(section) or {}
            if not isinstance(entries, dict):
                self._note((section,), "must be a mapping of component ids")
                entries = {}
            declared[section] = tuple(entries)
            components[section] = dict(self._components(section, entries))
        return Draft(declared, components, self._service(sections))

    def _sections(self) -> dict[str, Plain]:
        content = self.source.content if self.source.content is not None else {}
        if not isinstance(content, dict):
            self._note((), f"must be a mapping with the keys {', '.join(_SECTIONS)}")
            return {}
        for name in content:
            if name not in _SECTIONS:
                message = advice_on_section(name) or f"unknown section; {suggestion(name, _SECTIONS)}"
                self.problems.append(Problem((name,), message, hides_value=True))
        for name in REQUIRED_SECTIONS:
            if name not in content:
                self._note((), f"the section {name!r} is missing")
        return content

    def _components(self, section: str, entries: Mapping[str, Plain]) -> Iterator[tuple[str, BaseModel]]:
        types = COMPONENT_TYPES[section]
        for component_id, settings in entries.items():
            path = (section, component_id)
            kind = component_type(component_id)
            model = types.get(kind)
            if model is None:
                hint = f"unknown {section.removesuffix('s')}; {suggestion(kind, types)}"
                self.problems.append(Problem(path, advice_on_component(section, kind) or hint, hides_value=True))
                continue
            if not _COMPONENT_ID.fullmatch(component_id):
                self._note(path, "must be a type, or a type and a name such as otlp_http/backup")
            component = self._validated(model, {} if settings is None else settings, path)
            if component is not None:
                yield component_id, component

    def _service(self, sections: Mapping[str, Plain]) -> ServiceConfig | None:
        if "service" not in sections:
            return None
        settings = sections["service"]
        service = self._validated(ServiceConfig, settings, ("service",))
        if isinstance(service, ServiceConfig):
            return service
        return self._what_is_valid(settings) if isinstance(settings, dict) else None

    def _what_is_valid(self, settings: dict[str, Plain]) -> ServiceConfig:
        """Keep the valid parts of a broken service section, so that their references are checked in the same run."""
        pipelines = settings.get("pipelines")
        entries = pipelines.items() if isinstance(pipelines, dict) else ()
        quiet = _Reading(self.source, [])
        valid = {name: quiet._validated(PipelineConfig, each, ("service", "pipelines", name)) for name, each in entries}
        extensions = settings.get("extensions")
        return ServiceConfig.model_construct(
            extensions=tuple(each for each in extensions if isinstance(each, str))
            if isinstance(extensions, list)
            else (),
            pipelines={name: pipeline for name, pipeline in valid.items() if isinstance(pipeline, PipelineConfig)},
        )

    def _validated(self, model: type[BaseModel], settings: Plain, path: KeyPath) -> BaseModel | None:
        try:
            return self._with_texts(model, settings, path)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                place = _place(path, detail)
                if self._follows_from_reference(place, detail["type"]):
                    continue
                is_unknown = detail["type"] == "extra_forbidden"
                advice = advice_on_key(place) if is_unknown else None
                message = advice or problem_message(model, detail, is_secret=is_secret(place))
                self.problems.append(Problem(place, message, hides_value=is_unknown))
            return None

    def _with_texts(self, model: type[BaseModel], settings: Plain, path: KeyPath) -> BaseModel:
        """Validate; where a text is wanted, a reference stands for its text and not for the number in it."""
        try:
            return model.model_validate(settings)
        except ValidationError as error:
            places = [_place(path, detail) for detail in error.errors() if detail["type"] == "string_type"]
            texts = {place[len(path) :]: self.source.texts[place] for place in places if place in self.source.texts}
            if not texts:
                raise
            return model.model_validate(_with_values(settings, texts))

    def _follows_from_reference(self, place: KeyPath, kind: str) -> bool:
        """Whether the reference behind a value was reported already, so that what is wrong with it is no news."""
        if any(each in self.source.unresolved for each in ancestors(place)):
            return True
        return kind != "extra_forbidden" and any(each[: len(place)] == place for each in self.source.unresolved)

    def _note(self, path: KeyPath, message: str) -> None:
        self.problems.append(Problem(path, message))


def _place(path: KeyPath, detail: ErrorDetails) -> KeyPath:
    return (*path, *(part for part in detail["loc"] if part != KEY_ITSELF))


def _with_values(settings: Plain, values: Mapping[KeyPath, str], path: KeyPath = ()) -> Plain:
    """A copy of settings with the values at some key paths replaced."""
    if path in values:
        return values[path]
    if isinstance(settings, dict):
        return {key: _with_values(child, values, (*path, key)) for key, child in settings.items()}
    if isinstance(settings, list):
        return [_with_values(child, values, (*path, index)) for index, child in enumerate(settings)]
    return settings
