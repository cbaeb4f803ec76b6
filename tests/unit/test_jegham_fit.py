"""The fit to published energies of queries: the script that makes it, and the file that holds it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tools import fit_jegham
from tools.fit_jegham import Query, fit, read_table

if TYPE_CHECKING:
    from pathlib import Path

TERMS = (0.25, 2.0, 0.5)
"""Wh for 1,000 input tokens, for 1,000 output tokens, and for the request."""


def _queries(input_wh: float, output_wh: float, request_wh: float) -> list[Query]:
    shapes = ((100, 300), (1000, 1000), (10000, 1500))
    return [
        Query("acme-1", "H100", read, written, read / 1000 * input_wh + written / 1000 * output_wh + request_wh)
        for read, written in shapes
    ]


def test_terms_that_made_the_points_are_found_again() -> None:
    assert fit(_queries(*TERMS)) == pytest.approx(TERMS, rel=1e-9)


def test_no_term_is_negative_even_where_that_would_fit_better() -> None:
    terms = fit(_queries(-0.01, 2.0, 0.5))
    assert terms[0] == 0.0
    assert min(terms) >= 0.0


def test_a_term_at_zero_leaves_the_best_of_the_others() -> None:
    """With input at zero and the request too, relative errors are least at sum(a) / sum(a^2), a = output / energy."""
    queries = [Query("acme-1", "H100", 0, 1000, 1.0), Query("acme-1", "H100", 0, 1000, 2.0)]
    parts = [1.0 / 1.0, 1.0 / 2.0]
    output_wh, request_wh = fit(queries)[1:]
    assert output_wh + request_wh == pytest.approx(sum(parts) / sum(part**2 for part in parts), rel=1e-9)


def test_the_file_is_what_the_script_makes() -> None:
    assert fit_jegham.main(["--check"]) == 0


def test_a_stale_file_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "jegham_2025.json"
    stale.write_text("{}", encoding="utf-8")
    monkeypatch.setattr(fit_jegham, "TERMS", stale)
    assert fit_jegham.main(["--check"]) == 1
    assert capsys.readouterr().out == "jegham_2025.json: out of date; run python tools/fit_jegham.py --write\n"


def test_residuals_are_printed_and_two_points_are_not_fitted(capsys: pytest.CaptureFixture[str]) -> None:
    assert fit_jegham.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(read_table()) == 20
    assert "gpt-4: not identified, 2 points for 3 terms" in lines
    (mini,) = [line for line in lines if line.startswith("gpt-4o-mini:")]
    assert mini.endswith("request_wh 0.000; residuals +0.4%, -0.7%, +0.3%")


def test_a_model_of_two_points_has_no_terms_in_the_file() -> None:
    records = json.loads(fit_jegham.TERMS.read_text(encoding="utf-8"))["models"]
    without = {model for model, record in records.items() if "output_wh_per_ktoken" not in record}
    assert without == {"gpt-4", "llama-3-8b", "llama-3-70b"}
