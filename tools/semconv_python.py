"""Writing `attributes.py` and `metric_names.py` from the convention."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tools.semconv_model import Attribute, Model, Signal

WIDTH = 120
CORE_GROUP = "attributes.otel_carbon.core"
DETAIL_GROUP = "attributes.otel_carbon.detail"
POINT_GROUP = "attributes.otel_carbon.point"

# The part of the standard OpenTelemetry to Prometheus unit map that our units need; the map has no litre.
PROMETHEUS_UNITS = {"J": "joules", "g": "grams", "L": "L"}


def attributes_module(model: Model) -> str:
    """Source text of `otel_carbon/attributes.py`."""
    core = [reference.key for reference in model.groups[CORE_GROUP].references]
    detail = [reference.key for reference in model.groups[DETAIL_GROUP].references]
    lines = [
        *_heading("Names and values of every attribute that otel-carbon reads or writes."),
        "from typing import Final",
        "",
        f"ROOT: Final[str] = {_quoted(model.name)}",
        *_docstring("Namespace of everything otel-carbon emits; the only place that spells it."),
        f"SCHEMA_URL: Final[str] = {_quoted(model.schema_url)}",
        *_docstring("Schema URL of our own instrumentation scope; spans keep the one of their emitter."),
        "",
    ]
    for attribute in model.attributes.values():
        lines += _attribute_lines(attribute, model)
    lines += _tuple_lines("CORE_ATTRIBUTES", [constant(key, model) for key in core])
    lines += _docstring("Span attributes of level `core`, in the order in which they are written.")
    lines += _tuple_lines("FULL_ATTRIBUTES", ["*CORE_ATTRIBUTES", *(constant(key, model) for key in detail)])
    lines += _docstring("Span attributes of level `full`: the core ones and the details.")
    return "\n".join(lines) + "\n"


def metric_names_module(model: Model) -> str:
    """Source text of `otel_carbon/metric_names.py`."""
    lines = [
        *_heading("Names, units and descriptions of every counter that otel-carbon emits."),
        "from dataclasses import dataclass",
        "from typing import Final",
        "",
        "from otel_carbon.attributes import ROOT",
        "",
        "",
        "@dataclass(frozen=True, slots=True)",
        "class Metric:",
        '    """One counter; `prometheus_name` is what any way into Prometheus makes of name and unit (UCUM)."""',
        "",
        "    name: str",
        "    prometheus_name: str",
        "    unit: str",
        "    description: str",
        "",
        "",
    ]
    for metric in model.metrics.values():
        lines += _metric_lines(metric, model)
    lines += _tuple_lines("ALL", [constant(name, model) for name in model.metrics], "Metric")
    lines += _docstring("Every counter, in the order of the reference.")
    points = [_quoted_key(reference.key, model) for reference in model.groups[POINT_GROUP].references]
    lines += _tuple_lines("POINT_ATTRIBUTES", points)
    lines += _docstring("Attributes that every point of the amounts, tokens and operations may carry.")
    return "\n".join(lines) + "\n"


def constant(name: str, model: Model) -> str:
    """Python constant of an attribute or metric: `otel_carbon.token.type` is `TOKEN_TYPE`."""
    return name.removeprefix(model.name + ".").replace(".", "_").upper()


def prometheus_name(metric: Signal) -> str:
    """Name under which the standard translation shows a counter in Prometheus."""
    unit = re.sub(r"\{.*\}", "", metric.unit)
    parts = [re.sub(r"[^a-zA-Z0-9]+", "_", metric.name), PROMETHEUS_UNITS.get(unit, unit), "total"]
    return "_".join(part for part in parts if part)


def python_names(model: Model) -> Iterator[tuple[str, Attribute]]:
    """Every constant that an attribute and its values define, for finding clashes."""
    for key, attribute in model.attributes.items():
        name = constant(key, model)
        yield name, attribute
        yield from ((f"{name}_{member.id.upper()}", attribute) for member in attribute.members)


def _heading(sentence: str) -> list[str]:
    command = "python tools/generate_semconv.py"
    return [f'"""{sentence}', "", f"Generated from semconv/ by `{command}`; do not edit.", '"""', "",
            "from __future__ import annotations", ""]  # fmt: skip


def _attribute_lines(attribute: Attribute, model: Model) -> Iterator[str]:
    name = constant(attribute.key, model)
    yield f"{name}: Final[str] = ROOT + {_quoted(attribute.key.removeprefix(model.name))}"
    yield from _docstring(attribute.brief, attribute.note)
    for member in attribute.members:
        yield f"{name}_{member.id.upper()}: Final[str] = {_quoted(member.value)}"
        yield from _docstring(member.brief)
    if attribute.members:
        yield from _tuple_lines(f"{name}_VALUES", [f"{name}_{member.id.upper()}" for member in attribute.members])
        yield from _docstring(f"Every value of `{attribute.key}`.")
    yield ""


def _metric_lines(metric: Signal, model: Model) -> Iterator[str]:
    yield f"{constant(metric.name, model)}: Final[Metric] = Metric("
    yield f"    ROOT + {_quoted(metric.name.removeprefix(model.name))},"
    yield f"    ROOT + {_quoted(prometheus_name(metric).removeprefix(model.name))},"
    yield f"    {_quoted(metric.unit)},"
    yield f"    {_quoted(metric.brief)},"
    yield ")"
    yield from _docstring(f"In Prometheus `{prometheus_name(metric)}`.", metric.note)
    yield ""


def _quoted_key(key: str, model: Model) -> str:
    inside = key.removeprefix(model.name + ".")
    return _quoted(key) if inside == key else f"ROOT + {_quoted('.' + inside)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _tuple_lines(name: str, items: Iterable[str], item_type: str = "str") -> list[str]:
    return [f"{name}: Final[tuple[{item_type}, ...]] = (", *(f"    {item}," for item in items), ")"]


def _docstring(brief: str, note: str = "") -> list[str]:
    brief, note = (text.replace("\\", "\\\\") for text in (brief, note))
    if len(brief) + 6 <= WIDTH and not note:
        return [f'"""{brief}"""']
    first, *rest = textwrap.wrap(brief, WIDTH - 3, break_on_hyphens=False)
    details = ["", *textwrap.wrap(note, WIDTH, break_on_hyphens=False)] if note else []
    return [f'"""{first}', *rest, *details, '"""']
