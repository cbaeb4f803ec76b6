"""Flat rows: token counts times the numbers of a row are what an estimate of the call says."""

from __future__ import annotations

import csv
import io
from datetime import date
from itertools import product

import pytest
from ruamel.yaml import YAML

from otel_carbon.core.footprint import Footprint
from otel_carbon.core.usage import TokenUsage
from otel_carbon.errors import RegistryError
from otel_carbon.estimating import estimate
from otel_carbon.exporting.flat_forms import csv_form, lookup_yaml_form
from otel_carbon.exporting.flat_rows import BOUNDS, QUANTITIES, FlatRow, flat_rows
from otel_carbon.exporting.selection import Selection
from otel_carbon.registry.catalog import Registry

REGISTRY = Registry.bundled()
DAY = date(2026, 11, 26)
UNCACHED, READ, WRITE, OUTPUT = 900, 300, 200, 70
PAIRS = OUTPUT * (UNCACHED + READ + WRITE) + OUTPUT * (OUTPUT - 1) // 2
PROVIDERS = ("openai", "aws.bedrock", "anthropic", "mistral", "ollama")
MODELS = (
    *("gpt-4o", "claude-sonnet-4-5", "mistral-large-2407", "llama-3.1-8b-instruct", "qwen/qwen3-235b-a22b"),
    *("text-embedding-3-small", "nobody-knows-it-7b"),
)
REGIONS = ("eu-west-3", "us-east-1", "fra")
ROWS = {row.key: row for row in flat_rows(Selection.of(REGISTRY, DAY, PROVIDERS, MODELS, REGIONS))}


def amount(row: FlatRow, quantity: str, bound: str) -> float:
    per = {
        "input_token": UNCACHED,
        "cache_read_token": READ,
        "cache_write_token": WRITE,
        "output_token": OUTPUT,
        "context_pair": PAIRS,
    }
    return sum(count * row.amounts[f"{quantity}_per_{kind}_{bound}"] for kind, count in per.items())


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.key)
def test_counts_times_a_row_are_the_estimate(row: FlatRow) -> None:
    operation = row.texts["operations"].split()[0]
    usage = TokenUsage(
        row.texts["provider"],
        row.texts["model"],
        input_tokens=UNCACHED + READ + WRITE,
        output_tokens=OUTPUT,
        cache_read_tokens=READ,
        cache_write_tokens=WRITE,
        operation=operation,
        region=row.texts["region"] or None,
        at=DAY,
    )
    expected = estimate(usage, registry=REGISTRY)
    assert isinstance(expected, Footprint)
    for quantity, bound in product(QUANTITIES, BOUNDS):
        interval = getattr(expected, quantity)
        assert amount(row, quantity, bound) == pytest.approx(getattr(interval, bound), rel=1e-12)
    assert row.texts["coefficient_id"] == expected.provenance.coefficient_id
    assert row.texts["grid_id"] == expected.provenance.grid_id


def test_there_is_a_row_for_each_provider_model_and_region_and_for_the_usual_place() -> None:
    assert len(ROWS) == len(PROVIDERS) * len(MODELS) * (1 + len(REGIONS))


def test_an_assessment_of_the_supplier_gives_emissions_and_water_of_output_alone() -> None:
    own, elsewhere = ROWS["mistral_ai/mistral-large-2407"], ROWS["aws.bedrock/mistral-large-2407"]
    assert own.amounts["emissions_gco2e_per_input_token_mid"] == 0.0
    assert own.amounts["emissions_gco2e_per_output_token_mid"] > 0.0
    assert elsewhere.amounts["emissions_gco2e_per_input_token_mid"] > 0.0


def test_what_has_no_factors_has_no_row() -> None:
    selection = Selection.of(REGISTRY, DAY, ("nobody-knows-whom",), ("gpt-4o",))
    assert list(flat_rows(selection)) == []


def test_tables_of_all_providers_are_refused() -> None:
    with pytest.raises(RegistryError, match="name providers"):
        list(flat_rows(Selection.of(REGISTRY, DAY)))


def test_both_files_hold_the_same_rows_with_version_and_digest() -> None:
    selection = Selection.of(REGISTRY, DAY, ("openai",), ("gpt-4o", "gpt-4o-mini"), ("us-east-1",))
    in_csv = {row.pop("key"): row for row in csv.DictReader(io.StringIO(csv_form(selection)))}
    text = lookup_yaml_form(selection)
    in_yaml = YAML(typ="safe").load(text)
    assert in_csv.keys() == in_yaml.keys() == {row.key for row in flat_rows(selection)}
    for key, row in in_yaml.items():
        assert {name: str(value) for name, value in row.items()} == {
            name: value if name in ("provider", "model", "region") or not _is_number(value) else str(float(value))
            for name, value in in_csv[key].items()
        }
        assert row["registry_sha256"] == REGISTRY.digest
    assert f"# otel-carbon registry {REGISTRY.version}, sha256 {REGISTRY.digest}" in text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
