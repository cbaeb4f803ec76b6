"""What the convention's schema and rules refuse, and that each message names file, line and key."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from tests.support.live_check import SEMCONV
from tools import generate_semconv
from tools.semconv_source import SCHEMA_PATH, ModelError

if TYPE_CHECKING:
    from tests.unit.semconv.convention_copy import ConventionCopy


class Planted(NamedTuple):
    """A mistake: what to replace in which file, and the message that it must yield after `file:line: `."""

    file: str
    old: str
    new: str
    message: str


ATTRIBUTES, METRICS, SPANS = "model/attributes.yaml", "model/metrics.yaml", "model/spans.yaml"
METHOD = "key: otel_carbon.method\n    type: string\n"
CHOICES = "['counter', 'updowncounter', 'gauge', 'histogram']"

AT_THE_LINE = {
    "misspelt instrument": Planted(
        METRICS, "instrument: counter", "instrument: countre",
        f"metrics[0].instrument: 'countre' is not one of {CHOICES}",
    ),
    "unknown file format": Planted(
        METRICS, "file_format: definition/2", "file_format: definition/1", "file_format: 'definition/2' was expected"
    ),
    "misspelt type": Planted(
        ATTRIBUTES, "type: double", "type: float",
        "attributes[2].type: 'float' is not among the types that an attribute may have",
    ),
    "misspelt requirement level": Planted(
        METRICS, "requirement_level: recommended", "requirement_level: optional",
        "attribute_groups[0].attributes[0].requirement_level: "
        "'optional' is not one of ['required', 'recommended', 'opt_in']",
    ),
    "misspelt stability": Planted(
        SPANS, "stability: development", "stability: experimental",
        "attribute_groups[0].stability: 'experimental' is not one of "
        "['development', 'alpha', 'beta', 'release_candidate', 'stable']",
    ),
    "unresolved reference": Planted(
        SPANS, "ref: otel_carbon.grid_id", "ref: otel_carbon.grid",
        "attribute_groups[0].attributes[10].ref: no attribute is called otel_carbon.grid",
    ),
    "unresolved group": Planted(
        SPANS, "ref_group: attributes.otel_carbon.detail", "ref_group: attributes.otel_carbon.details",
        "span_refinements[0].attributes[1].ref_group: no attribute group is called attributes.otel_carbon.details",
    ),
    "unresolved span": Planted(
        SPANS, "ref: gen_ai.client.inference", "ref: gen_ai.client.call",
        "span_refinements[0].ref: no span is called gen_ai.client.call",
    ),
    "attribute referred to twice": Planted(
        METRICS, "ref: otel_carbon.token.type", "ref: service.name",
        "metrics[9].attributes[1]: service.name is listed twice",
    ),
    "attribute defined twice": Planted(
        ATTRIBUTES, "key: otel_carbon.site_id", "key: otel_carbon.grid_id",
        "attributes[22].key: otel_carbon.grid_id is defined twice",
    ),
    "unit in a metric's name": Planted(
        METRICS, "name: otel_carbon.tokens", "name: otel_carbon.tokens_total",
        "metrics[9].name: otel_carbon.tokens_total: 'total' is for the unit, not for a metric's name",
    ),
    "unit that Prometheus translates otherwise": Planted(
        METRICS, 'unit: "J"', 'unit: "kW.h"',
        "metrics[0].unit: 'kW.h' is not an allowed unit; "
        "allowed are J, g, L, {token}, {operation}, {span}, {series}",
    ),
    "gauge for a total": Planted(
        METRICS, "instrument: counter", "instrument: gauge",
        "metrics[0].instrument: otel_carbon.energy is a total and must be a counter",
    ),
    "amount of a whole number": Planted(
        ATTRIBUTES, "type: double\n    brief: Lower bound of the modelled facility",
        "type: int\n    brief: Lower bound of the modelled facility",
        "attributes[3].type: otel_carbon.energy_kwh_low ends in a unit, so its type must be double",
    ),
    "template": Planted(
        ATTRIBUTES, "type: string[]", "type: template[string]",
        "attributes[26].type: otel_carbon.assumptions: templates are for the conventions of others",
    ),
    "transformation file of another schema": Planted(
        "schemas/0.1.0.yaml", "schema_url: https://otel-carbon.dev/", "schema_url: https://example.org/",
        "schema_url: must be https://otel-carbon.dev/schemas/0.1.0",
    ),
    "transformation file without this version": Planted(
        "schemas/0.1.0.yaml", "versions:\n  0.1.0:", "versions:\n  0.0.9:", "versions: 0.1.0 is not listed"
    ),
    "version without a transformation file": Planted(
        "manifest.yaml", "schema_url: https://otel-carbon.dev/schemas/0.1.0",
        "schema_url: https://otel-carbon.dev/schemas/0.2.0", "schema_url: there is no schemas/0.2.0.yaml",
    ),
    "manifest without a version": Planted(
        "manifest.yaml", "schema_url: https://otel-carbon.dev/schemas/0.1.0", "schema_url: https://otel-carbon.dev",
        "schema_url: 'https://otel-carbon.dev' does not match '^https://[^/]+/.+/\\\\d+\\\\.\\\\d+\\\\.\\\\d+$'",
    ),
}  # fmt: skip

ANYWHERE = {
    "missing brief": Planted(
        ATTRIBUTES, "    brief: Name of the estimation method.\n", "", "attributes[15]: 'brief' is a required property"
    ),
    "missing stability": Planted(
        METRICS, "    stability: development\n", "", "metrics[0]: 'stability' is a required property"
    ),
    "unknown key": Planted(
        ATTRIBUTES, METHOD, METHOD + "    unit: s\n",
        "attributes[15]: Additional properties are not allowed ('unit' was unexpected)",
    ),
    "key written twice": Planted(
        ATTRIBUTES, METHOD, METHOD + "    type: int\n", '(top): found duplicate key "type" with value "int" (original '
        'value: "string")',
    ),
    "no YAML": Planted(SPANS, "file_format:", "file_format: [", "(top): expected ',' or ']', but got ':'"),
    "amount without a unit": Planted(
        ATTRIBUTES, METHOD, METHOD.replace("string", "double"),
        "attributes[15].key: otel_carbon.method is an amount and needs a unit, one of kW.h, g{CO2e}, L",
    ),
    "amount whose name lacks its unit": Planted(
        ATTRIBUTES, METHOD, METHOD.replace("string", "double") + "    annotations: {otel_carbon: {unit: kW.h}}\n",
        "attributes[15].key: otel_carbon.method is in kW.h and must end in _kwh",
    ),
    "bound without its sibling": Planted(
        METRICS, "name: otel_carbon.water_high", "name: otel_carbon.water_top",
        "metrics[7]: otel_carbon.water_low is a bound, but there is no otel_carbon.water_high",
    ),
    "value twice in an enumeration": Planted(
        ATTRIBUTES, "value: unestimated", "value: estimated",
        "attributes[0].type: otel_carbon.status: the value 'estimated' stands twice",
    ),
    "example of another type": Planted(
        ATTRIBUTES, "examples: [per_token]", "examples: [7]",
        "attributes[15].examples[0]: otel_carbon.method must be of type string, not 7",
    ),
    "stub of another version": Planted(
        "dependencies/genai/manifest.yaml", "gen-ai/1.42.0", "gen-ai/1.41.0",
        "dependencies[1].schema_url: its manifest says 'https://opentelemetry.io/schemas/gen-ai/1.41.0'",
    ),
}  # fmt: skip


SHAPE = "lower case words joined by _ in components joined by dots"
NAMES = {
    "otel_carbon.Tenant": f"key: 'otel_carbon.Tenant' is no name: {SHAPE}",
    "otel_carbon": f"key: 'otel_carbon' is no name: {SHAPE}",
    "gen_ai.carbon": "key: gen_ai.carbon: the namespace gen_ai belongs to OpenTelemetry; refer to it instead",
    "otel.carbon": "key: otel.carbon: the namespace otel belongs to OpenTelemetry; refer to it instead",
    "hw.carbon": "key: hw.carbon: the namespace hw belongs to OpenTelemetry; refer to it instead",
    "carbon.method": "key: carbon.method is outside our namespace otel_carbon",
    "otel_carbon.token": "key: otel_carbon.token is also the namespace of otel_carbon.token.type",
    "otel_carbon.stack_l": "type: otel_carbon.stack_l ends in a unit, so its type must be double",
}


def problems_of(copy: ConventionCopy) -> tuple[str, ...]:
    with pytest.raises(ModelError) as refused:
        generate_semconv.generated_files(copy.folder)
    return refused.value.problems


@pytest.mark.parametrize("case", AT_THE_LINE)
def test_mistake_is_refused_at_its_line(case: str, convention_copy: ConventionCopy) -> None:
    planted = AT_THE_LINE[case]
    line = convention_copy.replace(planted.file, planted.old, planted.new)
    assert problems_of(convention_copy)[0] == f"semconv/{planted.file}:{line}: {planted.message}"


@pytest.mark.parametrize("case", ANYWHERE)
def test_mistake_is_refused_with_its_key(case: str, convention_copy: ConventionCopy) -> None:
    planted = ANYWHERE[case]
    convention_copy.replace(planted.file, planted.old, planted.new)
    messages = [problem.partition(": ")[2] for problem in problems_of(convention_copy)]
    assert planted.message in messages


def add_attribute(copy: ConventionCopy, key: str) -> int:
    """Define one more attribute before the tenant and return its line."""
    definition = f"{{key: {key}, type: string, brief: One more., stability: development}}"
    tenant = "- key: otel_carbon.tenant\n"
    return copy.replace(ATTRIBUTES, tenant, f"- {definition}\n  {tenant}")


@pytest.mark.parametrize("key", NAMES)
def test_name_is_refused_at_its_line(key: str, convention_copy: ConventionCopy) -> None:
    line = add_attribute(convention_copy, key)
    assert f"semconv/{ATTRIBUTES}:{line}: attributes[27].{NAMES[key]}" in problems_of(convention_copy)


def test_two_attributes_with_one_python_name_are_refused(convention_copy: ConventionCopy) -> None:
    add_attribute(convention_copy, "otel_carbon.token_type")
    (problem,) = problems_of(convention_copy)
    assert problem.endswith("key: otel_carbon.token.type and otel_carbon.token_type both yield TOKEN_TYPE")


def test_all_mistakes_are_reported_at_once(convention_copy: ConventionCopy) -> None:
    convention_copy.replace(METRICS, 'unit: "J"', 'unit: "kJ"')
    convention_copy.replace(METRICS, "name: otel_carbon.tokens", "name: tokens")
    convention_copy.replace(ATTRIBUTES, "examples: [per_token]", "examples: [7]")
    assert len(problems_of(convention_copy)) == len(["unit", "no name", "outside our namespace", "example"])


def test_a_missing_dependency_is_named(convention_copy: ConventionCopy) -> None:
    convention_copy.replace("manifest.yaml", "registry_path: dependencies/genai", "registry_path: dependencies/gen_ai")
    expected = "semconv/dependencies/gen_ai/manifest.yaml:1: (top): the file is missing"
    assert problems_of(convention_copy) == (expected,)


def test_norway_stays_a_country_in_yaml_1_2(convention_copy: ConventionCopy) -> None:
    convention_copy.replace(ATTRIBUTES, "examples: [per_token]", "examples: [NO]")
    assert generate_semconv.generated_files(convention_copy.folder)


@pytest.mark.parametrize("kind", ["string[]", "any", "template[string[]]", "boolean"])
def test_the_schema_knows_every_kind_of_type_of_the_format(kind: str) -> None:
    definition = {"key": "a.b", "type": kind, "brief": "B.", "stability": "alpha"}
    assert list(validator().iter_errors({"file_format": "definition/2", "attributes": [definition]})) == []


@pytest.mark.parametrize("kind", ["template[map]", "strings", "template[]", 7])
def test_the_schema_refuses_types_that_the_format_lacks(kind: object) -> None:
    definition = {"key": "a.b", "type": kind, "brief": "B.", "stability": "alpha"}
    assert len(list(validator().iter_errors({"file_format": "definition/2", "attributes": [definition]}))) == 1


def test_a_renamed_attribute_must_say_what_it_is_called_now() -> None:
    deprecated = {"reason": "renamed", "note": "Shorter."}
    definition = {"key": "a.b", "type": "int", "brief": "B.", "stability": "alpha", "deprecated": deprecated}
    document = {"file_format": "definition/2", "attributes": [definition]}
    assert [error.message for error in validator().iter_errors(document)] == ["'renamed_to' is a required property"]
    deprecated["renamed_to"] = "a.c"
    assert list(validator().iter_errors(document)) == []


def test_the_schema_is_itself_a_valid_schema() -> None:
    Draft202012Validator.check_schema(validator().schema)


def validator() -> Draft202012Validator:
    return Draft202012Validator(YAML(typ="safe").load(SEMCONV / SCHEMA_PATH))
