"""The terminal's table by model."""

from __future__ import annotations

from otel_carbon.demo.figures import figures_of
from otel_carbon.demo.presentation.tables import model_table
from tests.unit.demo.samples import estimated, judged


def test_the_table_shows_ranges_tokens_and_what_is_unknown() -> None:
    spans = [estimated(100.0), estimated(50.0), judged("unestimated", "model_not_registered", model="acme-1")]
    headings, rows = model_table(figures_of(spans))
    assert headings == (
        "model",
        "calls",
        "unestimated",
        "tokens",
        "gCO2e low/mid/high",
        "Wh low/mid/high",
        "mL low/mid/high",
    )
    # 150 g x 2 Wh/g = 300 Wh, x 4 mL/g = 600 mL; bounds are half and double.
    assert rows == [
        ("gpt-4o", "2", "0", "220", "75.0/150.0/300.0", "150.0/300.0/600.0", "300.0/600.0/1,200.0"),
        ("acme-1", "1", "1", "0", "unknown", "unknown", "unknown"),
        ("all calls", "3", "1", "220", "75.0/150.0/300.0", "150.0/300.0/600.0", "300.0/600.0/1,200.0"),
    ]


def test_without_ranges_the_mids_remain() -> None:
    spans = [estimated(100.0), judged("unestimated", "model_not_registered", model="acme-1")]
    headings, rows = model_table(figures_of(spans), ranges=False)
    assert headings[4:] == ("gCO2e mid", "Wh mid", "mL mid")
    # 100 g x 2 Wh/g = 200 Wh, x 4 mL/g = 400 mL
    assert rows[0] == ("gpt-4o", "1", "0", "110", "100.0", "200.0", "400.0")
    assert rows[1][4:] == ("unknown", "unknown", "unknown")
