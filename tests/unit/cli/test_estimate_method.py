"""`estimate --method`: another method may be chosen, and wherever its figure goes it says that it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_carbon.methods.cascade import WHY, why_chosen
from otel_carbon.registry.authoring.check import EVIDENCE
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.facts import EnergyCoefficient
from tests.support.golden import check_golden

if TYPE_CHECKING:
    from tests.unit.cli.conftest import RunCli

GOLDEN = Path(__file__).parent / "golden"
CALL = ("estimate", "--model", "gpt-4o", "--provider", "openai", "--input-tokens", "1000", "--output-tokens", "300")
HERE = (*CALL, "--region", "us-east-1")


def test_the_page_of_another_method_is_exactly_this(run_cli: RunCli) -> None:
    code, out, err = run_cli(*HERE, "--method", "ecologits")
    assert code == 0
    assert err == (
        "note: --method ecologits was chosen; the evidence does not point to it: "
        "Its amounts are not for this call, or leave out a part of its tokens\n"
    )
    check_golden(GOLDEN / "estimate-ecologits.txt", out)


def test_the_json_of_another_method_has_the_figure_of_the_evidence_beside_it(run_cli: RunCli) -> None:
    chosen = json.loads(run_cli(*HERE, "--method", "ecologits", "--json").out)
    cascade = json.loads(run_cli(*HERE, "--json").out)
    compared = json.loads(run_cli("compare", *HERE[1:], "--json").out)
    (ecologits,) = (each for each in compared["results"] if each["method"] == "ecologits")
    assert set(cascade) <= set(chosen)
    assert (chosen["method"], chosen["method_chosen_by_user"]) == ("ecologits", True)
    assert chosen["energy_kwh"] == ecologits["energy_kwh"] != cascade["energy_kwh"]
    assert chosen["by_the_evidence"]["energy_kwh"] == cascade["energy_kwh"]
    assert list(chosen["not_mid_because"]) == ["functional_unit"]


def test_a_method_that_has_no_figure_exits_3_and_says_why(run_cli: RunCli) -> None:
    code, out, err = run_cli(*CALL[:2], "no-such-model", *CALL[3:], "--method", "ecologits", "--json")
    document = json.loads(out)
    assert (code, document["status"], document["reason"]) == (3, "unestimated", "model-not-registered")
    assert document["energy_kwh"] is None
    assert err.startswith("note: --method ecologits was chosen")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*CALL, "--method", "nonsense"), "--method nonsense: no such method for this call; there are cascade, ecolog"),
        (("estimate", "--model", "gpt-4o", "--requests", "9", "--method", "ecologits"), "needs token counts;"),
    ],
)
def test_what_cannot_be_a_method_is_wrong_usage(run_cli: RunCli, arguments: tuple[str, ...], message: str) -> None:
    code, _, err = run_cli(*arguments)
    assert (code, message in err) == (2, True), err


def test_the_figure_of_the_evidence_says_why_its_method_was_taken(run_cli: RunCli) -> None:
    document = json.loads(run_cli(*HERE, "--method", "cascade", "--json").out)
    assert document["method_reason"] == WHY["parametric"]
    assert why_chosen("our_own_method") not in WHY.values()
    methods = {fact.method for fact in Registry.bundled().facts("energy") if isinstance(fact, EnergyCoefficient)}
    assert methods <= set(WHY)
    assert set(EVIDENCE) <= set(WHY)
