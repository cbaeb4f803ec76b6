"""Load collector.yaml and report every mistake at once, each with file, line, key and what is allowed."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args, get_origin

from pydantic import BaseModel, ValidationError

from otel_carbon.collector.config.check import (
    Draft,
    carbon_findings,
    component_type,
    problems_of,
    warnings_of,
)
from otel_carbon.collector.config.document import COMPONENT_TYPES, CollectorConfig, PipelineConfig, ServiceConfig
from otel_carbon.collector.config.text import ConfigText, KeyPath, Plain, Problem, parse_text, suggestion
from otel_carbon.collector.config.upstream import advice_on_component, advice_on_key
from otel_carbon.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from otel_carbon.collector.config.check import CheckCarbon

DEFAULT_CONFIG_NAME = "built-in configuration"
DEFAULT_CONFIG = """\
receivers:
  otlp: {protocols: {grpc: {endpoint: localhost:4317}, http: {endpoint: localhost:4318}}}
processors:
  carbon: {}
exporters:
  prometheus: {endpoint: localhost:9464}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [carbon], exporters: [prometheus]}
"""
_SECTIONS = (*COMPONENT_TYPES, "service")
_REQUIRED_SECTIONS = ("receivers", "exporters", "service")
KEY_ITSELF = "[key]"
"""What pydantic appends to the path of a key that is wrong, and not its value."""
_QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration that can be run, and what about it looks unintended."""

    config: CollectorConfig
    warnings: tuple[str, ...]


def load_config(
    path: Path, environment: Mapping[str, str] = os.environ, check_carbon: CheckCarbon | None = None
) -> LoadedConfig:
    """Load a configuration file.

    Args:
        path: the file.
        environment: values for `${env:NAME}`.
        check_carbon: checks what the carbon section says against the facts; without it, names are taken as they are.

    Raises:
        ConfigError: it cannot be read or cannot be run; `problems` holds every reason.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError((f"{path}: cannot be read: {error.strerror}",)) from error
    except UnicodeDecodeError as error:
        raise ConfigError((f"{path}: is not UTF-8 text",)) from error
    return parse_config(text, str(path), environment, check_carbon)


def default_config() -> CollectorConfig:
    """The configuration that runs when no file is given: OTLP on 4317 and 4318, Prometheus on 9464."""
    return parse_config(DEFAULT_CONFIG, DEFAULT_CONFIG_NAME, {}).config


def parse_config(
    text: str, file_name: str, environment: Mapping[str, str], check_carbon: CheckCarbon | None = None
) -> LoadedConfig:
    """Read a configuration from text; see `load_config`.

    Raises:
        ConfigError: it cannot be run; `problems` holds every reason.
    """
    source = parse_text(text, file_name, environment)
    problems = list(source.problems)
    draft = _read_draft(_sections(source, problems), problems)
    problems += problems_of(draft)
    found = list(carbon_findings(draft, check_carbon)) if check_carbon else []
    problems += (problem for each in found for problem in each.problems)
    if problems or draft.service is None:
        raise ConfigError(_in_order(source, problems))
    config = CollectorConfig.model_validate({**draft.components, "service": draft.service})
    warnings = [*warnings_of(draft), *(warning for each in found for warning in each.warnings)]
    return LoadedConfig(config, _in_order(source, warnings))


def _in_order(source: ConfigText, problems: list[Problem]) -> tuple[str, ...]:
    """Describe problems from the top of the file to its end."""
    return tuple(source.describe(problem) for problem in sorted(problems, key=lambda each: source.line_of(each.path)))


def _sections(source: ConfigText, problems: list[Problem]) -> dict[str, Plain]:
    content = source.content if source.content is not None else {}
    if not isinstance(content, dict):
        problems.append(Problem((), f"must be a mapping with the keys {', '.join(_SECTIONS)}"))
        return {}
    unknown = (name for name in content if name not in _SECTIONS)
    problems += (Problem((name,), f"unknown section; {suggestion(name, _SECTIONS)}") for name in unknown)
    problems += (Problem((), f"the section {name!r} is missing") for name in _REQUIRED_SECTIONS if name not in content)
    return content


def _read_draft(sections: Mapping[str, Plain], problems: list[Problem]) -> Draft:
    declared: dict[str, tuple[str, ...]] = {}
    components: dict[str, dict[str, BaseModel]] = {}
    for section in COMPONENT_TYPES:
        entries = sections.get(section) or {}
        if not isinstance(entries, dict):
            problems.append(Problem((section,), "must be a mapping of component ids"))
            entries = {}
        declared[section] = tuple(entries)
        components[section] = dict(_read_components(section, entries, problems))
    return Draft(declared, components, _read_service(sections, problems))


def _read_components(
    section: str, entries: Mapping[str, Plain], problems: list[Problem]
) -> Iterator[tuple[str, BaseModel]]:
    types = COMPONENT_TYPES[section]
    for component_id, settings in entries.items():
        model = types.get(component_type(component_id))
        if model is None:
            kind = section.removesuffix("s")
            hint = f"unknown {kind}; {suggestion(component_type(component_id), types)}"
            advice = advice_on_component(section, component_type(component_id))
            problems.append(Problem((section, component_id), advice or hint))
            continue
        component = _validated(model, {} if settings is None else settings, (section, component_id), problems)
        if component is not None:
            yield component_id, component


def _read_service(sections: Mapping[str, Plain], problems: list[Problem]) -> ServiceConfig | None:
    if "service" not in sections:
        return None
    settings = sections["service"]
    service = _validated(ServiceConfig, settings, ("service",), problems)
    if isinstance(service, ServiceConfig):
        return service
    return _what_is_valid(settings) if isinstance(settings, dict) else None


def _what_is_valid(settings: dict[str, Plain]) -> ServiceConfig:
    """Keep the valid parts of a broken service section, so that their references are checked in the same run."""
    pipelines = settings.get("pipelines")
    entries = pipelines.items() if isinstance(pipelines, dict) else ()
    valid = {name: _validated(PipelineConfig, entry, (), []) for name, entry in entries}
    extensions = settings.get("extensions")
    return ServiceConfig.model_construct(
        extensions=tuple(each for each in extensions if isinstance(each, str)) if isinstance(extensions, list) else (),
        pipelines={name: pipeline for name, pipeline in valid.items() if isinstance(pipeline, PipelineConfig)},
    )


def _validated(model: type[BaseModel], settings: Plain, path: KeyPath, problems: list[Problem]) -> BaseModel | None:
    try:
        return model.model_validate(settings)
    except ValidationError as error:
        details = error.errors(include_url=False)
        for detail in details:
            place = (*path, *(part for part in detail["loc"] if part != KEY_ITSELF))
            advice = advice_on_key(place) if detail["type"] == "extra_forbidden" else None
            problems.append(Problem(place, advice or _message(model, detail)))
        return None


def _message(model: type[BaseModel], detail: ErrorDetails) -> str:
    """Say in the user's words what pydantic found; values are shown only where they cannot be secrets."""
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown key; {suggestion(str(detail['loc'][-1]), _known_keys(model, detail['loc'][:-1]))}"
        case "too_short" | "string_too_short":
            return "must not be empty"
        case "tuple_type":
            return "must be a list, such as [one, two]"
        case "dict_type":
            return "must be a mapping, such as {name: value}"
        case "missing":
            return "is required"
        case "literal_error" | "enum":
            allowed = _QUOTED.findall(context["expected"])
            return (
                f"must be {context['expected']}, not {detail['input']!r}; {suggestion(str(detail['input']), allowed)}"
            )
        case "value_error":
            return str(context["error"])
        case "model_type":
            return f"must be a mapping with the keys {', '.join(_known_keys(model, detail['loc']))}"
        case _:
            return detail["msg"].replace("Input should", "must", 1)


def _known_keys(model: type[BaseModel] | None, path: tuple[str | int, ...]) -> tuple[str, ...]:
    """Keys allowed at a place inside a model."""
    parts = list(path)
    while parts and model is not None:
        fields = {info.validation_alias or name: info for name, info in model.model_fields.items()}
        annotation = fields[str(parts.pop(0))].annotation
        if get_origin(annotation) is dict and parts:
            parts.pop(0)
        model = _model_in(annotation)
    return tuple(str(info.validation_alias or name) for name, info in model.model_fields.items()) if model else ()


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The model that an annotation such as `dict[str, Model]` or `Model | None` is about."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for each in get_args(annotation) if (model := _model_in(each))), None)
