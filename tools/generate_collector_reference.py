"""Generates `docs/reference/collector-config.md`, the table of all settings, and their JSON Schema, from the models."""

from __future__ import annotations

import json
import sys
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

REPOSITORY = Path(__file__).resolve().parents[1]
if str(REPOSITORY) not in sys.path:  # started as a file, Python looks beside it only
    sys.path.insert(0, str(REPOSITORY))

from otel_carbon.collector.config.keys import model_in, names_of  # noqa: E402 - the path above comes first
from otel_carbon.collector.config.values import duration_from_seconds, is_duration  # noqa: E402 - the same
from tools.generated_page import write_or_check  # noqa: E402 - the path above comes first

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic.fields import FieldInfo

    _Key = tuple[str, FieldInfo]

PAGE = Path("docs/reference/collector-config.md")
SCHEMA = Path("docs/reference/collector-config.schema.json")
COMMAND = "python tools/generate_collector_reference.py"
BYTES_PER_MIB = 1024 * 1024
SIMPLE_TYPES = {bool: "true, false", int: "number", float: "number", str: "text", SecretStr: "text", Path: "text"}

INTRODUCTION = """\
The file has the shape of the upstream collector's: `receivers`, `processors`, `exporters` and `extensions` declare
components, `service` says what runs and how it is connected.
A component id is `type` or `type/name`; a component or section without settings is written `key:`.
How files, `--set`, the environment and other files are put together: [collector-config.md](../collector-config.md).
A duration is written `5s`, `200ms` or `1m30s`.
Unknown keys are errors; `otel-carbon collector validate --config FILE` reports all mistakes at once.
For editors: [collector-config.schema.json](collector-config.schema.json), a JSON Schema.
An example with comments: [collector.yaml](../../deploy/collector.yaml)."""


def reference_page() -> str:
    """The text of the page."""
    from otel_carbon.collector.config.catalogue import components_of, summary_of
    from otel_carbon.collector.config.document import COMPONENT_TYPES, ServiceConfig

    blocks = ["# collector.yaml", f"<!-- Generated from the configuration models by `{COMMAND}`; do not edit. -->"]
    blocks.append(INTRODUCTION)
    for section in COMPONENT_TYPES:
        blocks.append(f"## {section}")
        for component in components_of(section):
            older = "`, `".join(component.older_names)
            aliases = f" Also read as `{older}`, its older name." if older else ""
            summary = f"{component.summary}{aliases} Stability: {component.stability}."
            blocks += [f"### {component.name}", summary, settings_table(component.model)]
    blocks += ["## service", summary_of(ServiceConfig), settings_table(ServiceConfig)]
    return "\n\n".join(block for block in blocks if block) + "\n"


def schema_page() -> str:
    """The text of the JSON Schema."""
    from otel_carbon.collector.config.schema import config_schema

    return json.dumps(config_schema(), indent=2) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write page and schema, or with `--check` only compare; 0 done, 1 out of date."""
    pages = {PAGE: reference_page, SCHEMA: schema_page}
    return max(
        write_or_check(page, made, command=COMMAND, about=__doc__, arguments=arguments) for page, made in pages.items()
    )


def settings_table(model: type[BaseModel]) -> str:
    """The settings of a model and of all sections in it, a row each; empty when there are none."""
    rows = [f"| `{key}` | {_values(info)} | {_default(info)} | {info.description} |" for key, info in _keys(model)]
    return "\n".join(["| key | value | default | meaning |", "|---|---|---|---|", *rows]) if rows else ""


def _keys(model: type[BaseModel], prefix: str = "", around: tuple[type[BaseModel], ...] = ()) -> Iterator[_Key]:
    """Every key below a model as a dotted path, sections before what is in them."""
    for name, info in model.model_fields.items():
        key = prefix + names_of(name, info)[0]
        inner = model_in(info.annotation)
        yield key, info
        if inner and inner not in (*around, model):
            below = {dict: ".NAME.", tuple: "[].", list: "[]."}.get(_origin(info.annotation), ".")
            yield from _keys(inner, f"{key}{below}", (*around, model))


def _values(info: FieldInfo) -> str:
    """What may stand behind a key."""
    names = "".join(f"; also read as `{name}`" for name in names_of("", info)[1:])
    return ("duration" if is_duration(info) else _values_of(info.annotation)) + names


def _values_of(annotation: Any) -> str:  # noqa: ANN401 -- an annotation can be anything
    annotation = _without_metadata(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        return " or ".join(_values_of(each) for each in arguments if each is not NoneType)
    if origin is Literal:
        return ", ".join(f"`{each}`" if each else '`""`' for each in arguments)
    if origin is dict:
        return f"mapping of {_many(arguments[1])}"
    if origin in {tuple, list}:
        return f"list of {_many(arguments[0])}"
    if issubclass(annotation, BaseModel):
        return "section"
    if issubclass(annotation, Enum):
        return ", ".join(f"`{each.value}`" for each in annotation)
    return SIMPLE_TYPES[annotation]


def _many(annotation: Any) -> str:  # noqa: ANN401 -- an annotation can be anything
    one = _values_of(annotation)
    return {"section": "sections", "text": "texts", "number": "numbers"}.get(one, one)


def _origin(annotation: Any) -> Any:  # noqa: ANN401 -- an annotation can be anything
    """What kind of container an annotation is about, with or without None; None for no container."""
    origins = [get_origin(each) for each in (annotation, *get_args(annotation))]
    return next((each for each in origins if each in {dict, tuple, list}), None)


def _without_metadata(annotation: Any) -> Any:  # noqa: ANN401 -- an annotation can be anything
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    default = info.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, BaseModel):
        return "as below"
    if default is None or default == () or default == {}:
        return "not set"
    if isinstance(default, int) and default >= BYTES_PER_MIB and default % BYTES_PER_MIB == 0:
        return f"`{default}` ({default // BYTES_PER_MIB} MiB)"
    return f"`{duration_from_seconds(default) if is_duration(info) else _written(default)}`"


def _written(default: object) -> str:
    """Write a default as it would stand in the file."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, Enum):
        return str(default.value)
    if isinstance(default, tuple | list):
        return f"[{', '.join(_written(each) for each in default)}]"
    return str(default)


if __name__ == "__main__":
    sys.exit(main())
