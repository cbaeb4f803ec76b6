"""Charts are static SVG, in colours that a style sheet can turn around, and with words for who cannot see them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from otel_carbon.core.interval import Interval
from otel_carbon.demo.presentation import charts
from otel_carbon.demo.presentation.charts import Bar, Named
from otel_carbon.presentation.scales import Scale

GRAMS = Scale("gCO2e", 1.0, 1)
BARS = [Bar("2026-11-21", "a", 2.0), Bar("2026-11-21", "b", 1.0), Bar("2026-11-22", "a", 3.0)]


@pytest.fixture(scope="module")
def stacked() -> str:
    return charts.stacked_days(BARS, ["a", "b"], GRAMS, width=600, height=200)


@pytest.fixture(scope="module")
def ranges() -> str:
    named = [Named("<script>&", Interval(1.0, 2.0, 30.0)), Named("two", Interval(0.2, 0.3, 0.4))]
    return charts.ranges(named, "L", charts.WATER, width=600)


def test_every_bar_is_drawn_in_the_colour_of_its_series(stacked: str) -> None:
    colours = charts.legend(["a", "b"])
    marks = re.findall(r'aria-roledescription="bar"[^>]*fill="(#\w+)"', stacked)
    assert sorted(marks) == sorted([colours["a"], colours["b"], colours["a"]])


def test_bars_are_as_high_as_their_amounts(stacked: str) -> None:
    found = re.findall(r'amount: ([\d.]+);[^>]*? d="M[\d.]+,[\d.]+h[\d.]+v([\d.]+)h', stacked)
    height_of = {float(amount): float(height) for amount, height in found}
    assert height_of[3.0] == pytest.approx(3 * height_of[1.0])
    assert height_of[2.0] == pytest.approx(2 * height_of[1.0])


def test_charts_are_well_formed_and_scale_with_the_page(stacked: str, ranges: str) -> None:
    for svg in (stacked, ranges):
        root = ET.fromstring(svg)
        assert "viewBox" in root.attrib
        assert "width" not in root.attrib


def test_names_from_telemetry_are_escaped(ranges: str) -> None:
    assert "<script>" not in ranges
    assert "&lt;script&gt;&amp;" in ranges


def test_the_axis_of_ranges_shows_powers_of_ten(ranges: str) -> None:
    labels = re.findall(r">(0\.1|1|10|100)</text>", ranges)
    assert labels == ["0.1", "1", "10", "100"]


def test_a_chart_says_in_words_what_it_shows(stacked: str) -> None:
    svg = charts.described(stacked, "A <title>", r"A & B \1")
    root = ET.fromstring(svg)
    assert root.attrib["role"] == "img"
    assert [child.text for child in root][:2] == ["A <title>", r"A & B \1"]


def test_the_rest_keeps_its_grey_when_there_are_many_series() -> None:
    assert charts.legend([*"abcde", "all others"])["all others"] == charts.SERIES[-1]
