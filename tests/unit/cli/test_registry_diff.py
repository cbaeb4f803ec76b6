"""`otel-carbon registry diff`: registries by name, date and file, calls of a file, and the two forms of the answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from otel_carbon.cli.usage_lines import calls_from_text, sample_calls
from otel_carbon.core.footprint import Footprint
from otel_carbon.errors import ConfigError
from otel_carbon.estimating import estimate
from otel_carbon.registry.compiled import BUNDLED as COMPILED
from tests.unit.cli.overlay import write_overlay

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import RunCli

CALL = (
    '{"provider": "mistral", "model": "mistral-large-2512", "region": "FRA", "input_tokens": 1000, '
    '"output_tokens": 1000, "date": "2026-11-26"}\n'
)


@pytest.fixture
def overlay(run_cli: RunCli, tmp_path: Path) -> str:
    """A compiled overlay that takes the French grid from 44 to 40 gCO2e per kWh."""
    file = tmp_path / "acme.json"
    assert run_cli("registry", "compile", str(write_overlay(tmp_path / "acme")), "-o", str(file)).code == 0
    return str(file)


@pytest.fixture
def usage(tmp_path: Path) -> str:
    file = tmp_path / "usage.jsonl"
    file.write_text(CALL, encoding="utf-8")
    return str(file)


def test_a_registry_does_not_differ_from_itself(run_cli: RunCli) -> None:
    code, out, err = run_cli("registry", "diff", "bundled", "bundled", "--exit-code")
    assert (code, err) == (0, "")
    assert out.startswith("from bundled to bundled: no fact differs\n\nmodelled energy")


def test_an_overlay_is_laid_on_top_and_its_effect_is_shown(run_cli: RunCli, overlay: str, usage: str) -> None:
    code, out, err = run_cli("registry", "diff", "bundled", overlay, "--usage", usage, "--json")
    assert code == 0
    assert err == f"{overlay} shares no fact with the bundled ones: taken as an overlay on top of them\n"
    document = json.loads(out)
    (fact,) = document["facts"]
    assert (fact["change"], fact["fact"]) == ("superseded", "grid/FRA/acme@2026-11")
    assert fact["in_place_of"] == "grid/FRA/location-lifecycle@2024"
    (amount,) = fact["amounts"]
    assert amount["after"] == {"low": 30, "mid": 40, "high": 50}
    assert amount["ratio"] == pytest.approx(40 / amount["before"]["mid"])
    assert fact["sources_added"] == document["sources_added"] == ["acme-lab-2026"]
    (call,) = document["calls"]
    assert call["before"]["energy_kwh"] == call["after"]["energy_kwh"]
    kwh, it_kwh = call["after"]["energy_kwh"]["mid"], (0.234 + 0.779) / 1000
    assert call["after"]["emissions_gco2e"]["mid"] == pytest.approx(kwh * 40 + it_kwh * 60)
    assert document["total"]["calls"] == 1
    assert document["total"]["energy_kwh"]["ratio"] == 1.0


def test_the_page_says_the_same(run_cli: RunCli, overlay: str, usage: str) -> None:
    out = run_cli("registry", "diff", "bundled", overlay, "--usage", usage).out
    assert out.startswith(f"from bundled to {overlay}: 1 fact superseded\n")
    row = next(line for line in out.splitlines() if line.startswith("superseded"))
    assert "gco2e_per_kwh: 44" in row
    assert " to 40 (x 0.9" in row
    assert "+acme-lab-2026 -" in row
    assert "sources added: acme-lab-2026\n" in out
    assert "mistral-large-2512 at mistral in FRA  1,000 + 1,000 " in out


def test_it_exits_1_for_a_difference_only_when_asked(run_cli: RunCli, overlay: str) -> None:
    assert run_cli("registry", "diff", "bundled", overlay).code == 0
    assert run_cli("registry", "diff", "bundled", overlay, "--exit-code").code == 1
    assert run_cli("registry", "diff", overlay, overlay, "--exit-code").code == 0


def test_a_whole_registry_from_a_file_is_taken_as_it_is(run_cli: RunCli, tmp_path: Path) -> None:
    from importlib import resources

    copy = tmp_path / "copy.json"
    copy.write_bytes((resources.files("otel_carbon.registry") / "data" / COMPILED).read_bytes())
    code, out, err = run_cli("registry", "diff", "bundled", str(copy))
    assert (code, err) == (0, "")
    assert ": no fact differs\n" in out


def test_dates_are_the_bundled_facts_as_of_those_days(run_cli: RunCli) -> None:
    document = json.loads(run_cli("registry", "diff", "2020-01-01", "2026-11-22", "--json").out)
    assert {fact["change"] for fact in document["facts"]} == {"added"}
    assert {call["before"]["unestimated"] for call in document["calls"]} == {"model_not_registered"}
    assert document["total"]["calls"] == 0
    document = json.loads(run_cli("registry", "diff", "2026-11-22", "2026-11-26", "--json").out)
    changes = {fact["fact"]: fact for fact in document["facts"]}
    assert changes["energy/openai/gpt-4o@2026-11-26"]["in_place_of"] == "energy/openai/gpt-4o@2026-11"
    assert len(document["calls"]) == 10


def test_facts_that_were_merely_added_are_listed_when_asked(run_cli: RunCli) -> None:
    few, all_of_them = (
        run_cli("registry", "diff", "2026-11-22", "2026-11-26", *more).out.splitlines() for more in ((), ("--all",))
    )
    assert few[0] == all_of_them[0]
    assert [line for line in few if line.startswith("added ")] == []
    added = [line for line in all_of_them if line.startswith("added ")]
    assert f"{len(added):,} facts added" in few[0]


@pytest.mark.parametrize("name", ["nonsense", "2026-13-01", "bundle"])
def test_what_names_no_registry_exits_2(run_cli: RunCli, name: str) -> None:
    code, out, err = run_cli("registry", "diff", "bundled", name)
    assert (code, out) == (2, "")
    assert name in err


def test_a_file_that_is_no_compiled_registry_exits_2(run_cli: RunCli, usage: str) -> None:
    code, _, err = run_cli("registry", "diff", "bundled", usage)
    assert code == 2
    assert f"{usage}: no compiled registry" in err


def test_the_answer_never_replaces_an_input(run_cli: RunCli, overlay: str, usage: str) -> None:
    for target in (overlay, usage):
        code, _, err = run_cli("registry", "diff", "bundled", overlay, "--usage", usage, "-o", target)
        assert code == 2
        assert "is the input itself" in err


def test_the_sample_is_ten_calls_that_all_have_an_estimate() -> None:
    calls = sample_calls()
    assert len(calls) == 10
    assert [call.model for call in calls if not isinstance(estimate(call), Footprint)] == []


def test_a_call_may_have_every_key_and_needs_two() -> None:
    full = (
        '{"provider": "openai", "model": "gpt-4o", "region": "FRA", "operation": "chat", "date": "2026-01-02", '
        '"input_tokens": 10, "cache_read_tokens": 2, "cache_write_tokens": 3, "output_tokens": 5, '
        '"reasoning_tokens": 1}\n\n{"provider": "openai", "model": "gpt-4o", "region": null}\n'
    )
    first, second = calls_from_text(full, "usage.jsonl")
    assert (first.cache_write_tokens, str(first.at)) == (3, "2026-01-02")
    assert (second.region, second.input_tokens) == (None, None)
    assert second.at is not None


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "usage.jsonl:2: json: "),
        ("[1]", "usage.jsonl:2: json: is no object"),
        ('{"provider": "openai"}', "usage.jsonl:2: model: must be a text that is not empty"),
        ('{"provider": " ", "model": "m"}', "usage.jsonl:2: provider: must be a text that is not empty"),
        ('{"provider": "p", "model": "m", "region": 3}', "usage.jsonl:2: region: must be a text"),
        ('{"provider": "p", "model": "m", "at": "x"}', "usage.jsonl:2: at: is unknown; the keys are provider, "),
        ('{"provider": "p", "model": "m", "date": "May"}', "usage.jsonl:2: date: 'May' is no date"),
        ('{"provider": "p", "model": "m", "output_tokens": -1}', "usage.jsonl:2: tokens: output_tokens must be"),
        (
            '{"provider": "p", "model": "m", "output_tokens": 1, "reasoning_tokens": 2}',
            "usage.jsonl:2: tokens: reasoning_tokens = 2 exceeds",
        ),
    ],
)
def test_a_mistake_names_file_line_and_key(line: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        calls_from_text(f"{CALL}{line}\n{CALL}{line}", "usage.jsonl")
    assert len(caught.value.problems) == 2
    assert caught.value.problems[0].startswith(problem)
    assert caught.value.problems[1].startswith(problem.replace(":2:", ":4:"))


def test_a_file_without_calls_says_what_to_write() -> None:
    with pytest.raises(ConfigError, match=r"usage.jsonl:1: holds no call; write one JSON object a line, such as"):
        calls_from_text("\n", "usage.jsonl")


def test_a_file_that_is_no_text_says_so(run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "usage.jsonl").write_bytes(b"\xff\xfe")
    code, _, err = run_cli("registry", "diff", "bundled", "bundled", "--usage", str(tmp_path / "usage.jsonl"))
    assert code == 2
    assert "is no UTF-8 text" in err
