"""Rules of the convention beyond its file format: names, units, ranges and what the generator relies on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.semconv_python import CORE_GROUP, DETAIL_GROUP, POINT_GROUP, python_names
from tools.semconv_source import ModelError
from tools.semconv_values import value_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.semconv_model import Attribute, Model, Signal

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*(\.[a-z][a-z0-9]*(_[a-z0-9]+)*)+")
RESERVED_NAMESPACES = ("gen_ai.", "otel.", "hw.")

METRIC_UNITS = ("J", "g", "L", "{token}", "{operation}", "{span}", "{series}")
ATTRIBUTE_UNIT_SUFFIXES = {"kW.h": "_kwh", "g{CO2e}": "_gco2e", "L": "_l"}
"""UCUM unit to the ending that the attribute's name must have, before `_low` or `_high`."""

UNIT_WORDS = re.compile(r"(^|[._])(total|joules?|kwh|grams?|gco2e|lit(er|re)s?)($|[._])")


def check_model(model: Model) -> None:
    """Hold the convention against every rule.

    Raises:
        ModelError: one or more rules are broken; all are reported.
    """
    problems = [problem for rule in RULES for problem in rule(model)]
    if problems:
        raise ModelError(problems)


def names_are_ours_and_well_formed(model: Model) -> Iterator[str]:
    """Lower case, dotted, below our own namespace."""
    for key, attribute in model.attributes.items():
        yield from (attribute.place.problem(fault, "key") for fault in _name_faults(key, model.name))
    for name, metric in model.metrics.items():
        yield from (metric.place.problem(fault, "name") for fault in _name_faults(name, model.name))
        if word := UNIT_WORDS.search(name):
            yield metric.place.problem(f"{name}: {word.group(2)!r} is for the unit, not for a metric's name", "name")


def no_attribute_is_a_namespace(model: Model) -> Iterator[str]:
    """`x` beside `x.y` breaks stores that expand dots."""
    for key, attribute in model.attributes.items():
        below = [other for other in model.attributes if other.startswith(key + ".")]
        if below:
            yield attribute.place.problem(f"{key} is also the namespace of {below[0]}", "key")


def amounts_carry_their_unit(model: Model) -> Iterator[str]:
    """A double names its unit in its annotation and at the end of its key; nothing else looks like an amount."""
    for attribute in model.attributes.values():
        stem = re.sub(r"_(low|high)$", "", attribute.key)
        suffix = ATTRIBUTE_UNIT_SUFFIXES.get(attribute.unit)
        if attribute.type == "double" and suffix is None:
            allowed = ", ".join(ATTRIBUTE_UNIT_SUFFIXES)
            yield attribute.place.problem(f"{attribute.key} is an amount and needs a unit, one of {allowed}", "key")
        elif attribute.type == "double" and not stem.endswith(str(suffix)):
            yield attribute.place.problem(f"{attribute.key} is in {attribute.unit} and must end in {suffix}", "key")
        elif attribute.type != "double" and stem.endswith(tuple(ATTRIBUTE_UNIT_SUFFIXES.values())):
            yield attribute.place.problem(f"{attribute.key} ends in a unit, so its type must be double", "type")
        elif attribute.type != "double" and attribute.unit:
            yield attribute.place.problem(f"{attribute.key} is no amount and has no unit", "annotations")


def bounds_come_in_pairs(model: Model) -> Iterator[str]:
    """A low bound needs a mid and a high one, for attributes and for metrics."""
    for names in (model.attributes, model.metrics):
        for name, definition in names.items():
            stem, bound = re.sub(r"_(low|high)$", "", name), name.rpartition("_")[2]
            for sibling in (stem, f"{stem}_low", f"{stem}_high") if bound in ("low", "high") else ():
                if sibling not in names:
                    yield definition.place.problem(f"{name} is a bound, but there is no {sibling}")


def metrics_are_counters_of_known_units(model: Model) -> Iterator[str]:
    """Totals are counters (gauges lose concurrent calls) in a unit that Prometheus translates as documented."""
    for metric in model.metrics.values():
        if metric.instrument != "counter":
            yield metric.place.problem(f"{metric.name} is a total and must be a counter", "instrument")
        if metric.unit not in METRIC_UNITS:
            message = f"{metric.unit!r} is not an allowed unit; allowed are {', '.join(METRIC_UNITS)}"
            yield metric.place.problem(message, "unit")


def values_and_constants_are_distinct(model: Model) -> Iterator[str]:
    """No value twice in an enumeration, no two definitions with one Python name."""
    for attribute in model.attributes.values():
        values = [member.value for member in attribute.members]
        yield from (
            attribute.place.problem(f"{attribute.key}: the value {value!r} stands twice", "type")
            for value in sorted({value for value in values if values.count(value) > 1})
        )
    owners: dict[str, Attribute] = {}
    for name, attribute in python_names(model):
        if owners.setdefault(name, attribute) is not attribute:
            yield attribute.place.problem(f"{attribute.key} and {owners[name].key} both yield {name}", "key")


def keys_are_fixed(model: Model) -> Iterator[str]:
    """A template stands for keys that are only known at run time, so neither constant nor check could hold it."""
    for attribute in model.attributes.values():
        if attribute.type.startswith("template["):
            yield attribute.place.problem(f"{attribute.key}: templates are for the conventions of others", "type")


def examples_are_valid(model: Model) -> Iterator[str]:
    """Every example is a value that the live check would accept."""
    plain = (attribute for attribute in model.attributes.values() if not attribute.type.startswith("template["))
    for attribute in plain:
        for index, example in enumerate(attribute.examples):
            if fault := value_problem(attribute, example):
                yield attribute.place.problem(fault, "examples", index)


def groups_of_the_generator_exist(model: Model) -> Iterator[str]:
    """The groups from which levels and point attributes are generated exist; what we write to spans is ours."""
    manifest = model.sources.manifest
    for group in (CORE_GROUP, DETAIL_GROUP, POINT_GROUP):
        if group not in model.groups:
            yield manifest.problem((), f"the model has no attribute group {group}")
    for name in (CORE_GROUP, DETAIL_GROUP):
        yield from _foreign_references(model.groups.get(name), model)


def this_version_has_a_transformation(model: Model) -> Iterator[str]:
    """The schema URL of the manifest is the one of a transformation file that knows its version."""
    version = model.schema_url.rpartition("/")[2]
    fitting = [document for document in model.sources.transformations if document.name.endswith(f"/{version}.yaml")]
    if not fitting:
        yield model.sources.manifest.problem(("schema_url",), f"there is no schemas/{version}.yaml")
    for document in fitting:
        if document.content.get("file_format") != "1.1.0":
            yield document.problem(("file_format",), "must be 1.1.0")
        if document.content.get("schema_url") != model.schema_url:
            yield document.problem(("schema_url",), f"must be {model.schema_url}")
        if version not in document.content.get("versions", {}):
            yield document.problem(("versions",), f"{version} is not listed")


RULES = (
    names_are_ours_and_well_formed,
    no_attribute_is_a_namespace,
    amounts_carry_their_unit,
    bounds_come_in_pairs,
    metrics_are_counters_of_known_units,
    values_and_constants_are_distinct,
    keys_are_fixed,
    examples_are_valid,
    groups_of_the_generator_exist,
    this_version_has_a_transformation,
)


def _name_faults(name: str, root: str) -> Iterator[str]:
    if not NAME.fullmatch(name):
        yield f"{name!r} is no name: lower case words joined by _ in components joined by dots"
    if name.startswith(RESERVED_NAMESPACES):
        yield f"{name}: the namespace {name.partition('.')[0]} belongs to OpenTelemetry; refer to it instead"
    elif not name.startswith(root + "."):
        yield f"{name} is outside our namespace {root}"


def _foreign_references(group: Signal | None, model: Model) -> Iterator[str]:
    for reference in group.references if group else ():
        if group and reference.key not in model.attributes:
            yield group.place.problem(f"{reference.key} is not ours, so we do not write it to spans", "attributes")
