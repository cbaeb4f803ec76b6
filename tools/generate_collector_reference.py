"""Generates `docs/reference/collector-config.md`, the table of all settings, from the models of `collector.yaml`."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

REPOSITORY = Path(__file__).resolve().parents[1]
if str(REPOSITORY) not in sys.path:  # started as a file, Python looks beside it only
    sys.path.insert(0, str(REPOSITORY))

from tools.generated_page import write_or_check  # noqa: E402 - the path above comes first

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic.fields import FieldInfo

PAGE = Path("docs/reference/collector-config.md")
COMMAND = "python tools/generate_collector_reference.py"
BYTES_PER_MIB = 1024 * 1024
SIMPLE_TYPES = {bool: "true, false", int: "number", float: "duration", str: "text"}

INTRODUCTION = """\
The file has the shape of the upstream collector's: `receivers`, `processors`, `exporters` and `extensions` declare
components, `service` says what runs and how it is connected.
A component id is `type` or `type/name`; a component without settings is written `type:`.
`${env:NAME}` and `${env:NAME:-default}` take a value from the environment, `$$` is a dollar sign.
Inside `{ }` a reference needs quotes.
A duration is written `5s`, `200ms` or `1m30s`.
Unknown keys are errors; `otel-carbon collector validate --config FILE` reports all mistakes at once.
An example with comments: [collector.yaml](../../deploy/collector.yaml)."""


def reference_page() -> str:
    """The text of the page."""
    from otel_carbon.collector.config.document import COMPONENT_TYPES, ServiceConfig

    blocks = ["# collector.yaml", f"<!-- Generated from the configuration models by `{COMMAND}`; do not edit. -->"]
    blocks.append(INTRODUCTION)
    for section, types in COMPONENT_TYPES.items():
        blocks.append(f"## {section}")
        names_of: dict[type[BaseModel], list[str]] = {}
        for name, model in types.items():
            names_of.setdefault(model, []).append(name)
        for component, (name, *old_names) in names_of.items():
            aliases = f" Also read as `{'`, `'.join(old_names)}`, its older name." if old_names else ""
            blocks += [f"### {name}", f"{_summary(component)}{aliases}", _table(component)]
    blocks += ["## service", _summary(ServiceConfig), _table(ServiceConfig)]
    return "\n\n".join(blocks) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with `--check` only compare; 0 done, 1 out of date."""
    return write_or_check(PAGE, reference_page, command=COMMAND, about=__doc__, arguments=arguments)


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _table(model: type[BaseModel]) -> str:
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, info in _keys(model):
        rows.append(f"| `{key}` | {_values(info)} | {_default(info)} | {info.description} |")
    return "\n".join(rows)


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every key below a model as a dotted path, sections before what is in them."""
    for name, info in model.model_fields.items():
        key = prefix + str(info.validation_alias or name)
        inner = _inner_model(info.annotation)
        yield key, info
        if inner:
            yield from _keys(inner, f"{key}.NAME." if get_origin(info.annotation) is dict else f"{key}.")


def _inner_model(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 -- an annotation can be anything
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for each in get_args(annotation) if (model := _inner_model(each))), None)


def _values(info: FieldInfo) -> str:
    annotation = info.annotation
    if get_origin(annotation) in {Union, UnionType}:
        annotation = next(each for each in get_args(annotation) if each is not NoneType)
    if _inner_model(annotation):
        return "section"
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{each}`" for each in get_args(annotation))
    if get_origin(annotation) is dict:
        return "mapping of text"
    if get_origin(annotation) is tuple:
        return "list of ids" if get_args(annotation)[0] is str else "list of names"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{each.value}`" for each in annotation)
    return SIMPLE_TYPES[annotation]  # type: ignore[index] # None is not left over here


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
    return f"`{_written(default)}`"


def _written(default: object) -> str:
    """Write a default as it would stand in the file."""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return f"{default:g}s"
    if isinstance(default, Enum):
        return str(default.value)
    return str(default)


if __name__ == "__main__":
    sys.exit(main())
