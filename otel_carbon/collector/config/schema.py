"""The JSON Schema of collector.yaml, for editors: what may stand in one file, as it is written there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from otel_carbon.collector.config.catalogue import all_components, components_of
from otel_carbon.collector.config.document import COMPONENT_TYPES, REQUIRED_SECTIONS, ServiceConfig
from otel_carbon.collector.config.keys import is_many, model_in, names_of
from otel_carbon.collector.config.values import Section, duration_from_seconds, is_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo
    from pydantic_core import core_schema

Json = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ABOUT = (
    "Settings of `otel-carbon collector`. References between sections, ports and names of models and regions are "
    "checked by `otel-carbon collector validate` only. A file that is merged into another may lack sections."
)
_SECTIONS = {
    "receivers": "Where telemetry comes in, by component id.",
    "processors": "What is done to it, by component id.",
    "exporters": "Where it goes, by component id.",
    "extensions": "What else runs, by component id.",
}
_REFERENCE: Json = {"type": "string", "pattern": r"\$\{.+\}", "title": "${env:NAME} or ${file:PATH}"}
_NULL: Json = {"type": "null"}
_ANNOTATIONS = ("description", "default", "deprecated", "examples")
_RESTRICTIONS = frozenset({"enum", "const", "pattern"})


def config_schema() -> Json:
    """The schema of a whole file."""
    components = all_components()
    models = [(each.model, "validation") for each in components] + [(ServiceConfig, "validation")]
    refs, definitions = models_json_schema(models, schema_generator=_FileSchema)  # type: ignore[arg-type] # the mode is a literal
    properties: Json = {section: _section(section, refs) for section in COMPONENT_TYPES}
    return {
        "$schema": DIALECT,
        "title": "collector.yaml of otel-carbon",
        "description": ABOUT,
        "type": "object",
        "properties": {**properties, "service": refs[ServiceConfig, "validation"]},
        "required": list(REQUIRED_SECTIONS),
        "additionalProperties": False,
        **definitions,
    }


def _section(section: str, refs: Mapping[Any, Json]) -> Json:
    """One section; a component may stand there without settings."""
    properties: Json = {}
    patterns: Json = {}
    for each in components_of(section):
        settings = {"anyOf": [refs[each.model, "validation"], _NULL, _REFERENCE]}
        for name in (each.name, *each.older_names):
            older = {"deprecated": True} if name != each.name else {}
            properties[name] = {"description": each.summary, **older, **settings}
            patterns[f"^{re.escape(name)}/[^/\\s]+$"] = {**older, **settings}
    entries = {"type": "object", "properties": properties, "patternProperties": patterns, "additionalProperties": False}
    choices = [{**entries, "minProperties": 1}] if section in REQUIRED_SECTIONS else [entries, _NULL]
    return {"description": _SECTIONS[section], "anyOf": [*choices, _REFERENCE]}


class _FileSchema(GenerateJsonSchema):
    """Describes settings as they are written, where pydantic describes what they become."""

    def model_schema(self, schema: core_schema.ModelSchema) -> Json:
        """Describe one section."""
        described = super().model_schema(schema)
        model = schema["cls"]
        if not issubclass(model, Section):
            return described
        properties = described.get("properties", {})
        for name, info in model.model_fields.items():
            key, *others = names_of(name, info)
            properties[key] = _setting(properties[key], info)
            for other in others:
                properties[other] = {**properties[key], "deprecated": True}
        described.pop("title", None)
        return described


def _setting(described: Json, info: FieldInfo) -> Json:
    described.pop("title", None)
    if is_duration(info):
        default = described.get("default")
        described |= {"default": duration_from_seconds(default)} if isinstance(default, float) else {}
    may_be_empty = is_many(info.annotation) or model_in(info.annotation) is not None
    return _with_references(described, may_be_empty=may_be_empty)


def _with_references(described: Json, *, may_be_empty: bool = False) -> Json:
    """The same, and wherever more than any text is wanted, a reference that stands for it."""
    inner = {key: value for key, value in described.items() if key not in _ANNOTATIONS}
    for part in ("items", "additionalProperties"):
        if isinstance(inner.get(part), dict):
            inner[part] = _with_references(inner[part])
    if inner.get("type") == "string" and not _RESTRICTIONS & inner.keys():
        return {**described, **inner}
    branches = [_with_references(each) for each in inner["anyOf"]] if set(inner) == {"anyOf"} else [inner]
    flat = [each for branch in branches for each in branch.get("anyOf", [branch])]
    flat += [_NULL] if may_be_empty else []
    distinct = [each for index, each in enumerate([*flat, _REFERENCE]) if each not in [*flat, _REFERENCE][:index]]
    annotations = {key: value for key, value in described.items() if key in _ANNOTATIONS}
    return {**annotations, "anyOf": distinct}
