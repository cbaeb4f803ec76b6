from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import TraceState

from otel_carbon.spans.sampling import MAX_ADJUSTED_COUNT, MAX_TRACE_STATE_CHARACTERS, adjusted_count


@pytest.mark.parametrize(
    ("trace_state", "count"),
    [
        ("ot=th:0", 1),  # nothing is dropped
        ("ot=th:8", 16 / (16 - 8)),
        ("ot=th:c", 16 / (16 - 12)),
        ("ot=th:C", 4),
        ("ot=th:f", 16),
        ("ot=th:80000000000000", 2),  # with its trailing zeros
        ("ot=th:e6666666666668", 10),  # a probability of 10 %, as the SDK writes it
        ("ot=th:fd70a4", 100),
        ("ot=rv:0123456789abcd;th:8", 2),
        ("ot=th:8;rv:0123456789abcd", 2),
        ("vendor=th:f,ot=th:8", 2),
        ("vendor=a , ot=th:8 , other=b", 2),
        ("ot=th:8,ot=th:f", 2),  # which is no valid trace state; the first is taken
    ],
)
def test_a_threshold_says_for_how_many_calls_one_stands(trace_state: str, count: float) -> None:
    assert adjusted_count(trace_state) == pytest.approx(count, rel=1e-6)


@pytest.mark.parametrize(
    "trace_state",
    [
        "",
        ",",
        "=",
        "vendor=th:8",
        "tenant@ot=th:8",
        "not=th:8",
        "OT=th:8",
        "ot",
        "ot=",
        "ot=th",
        "ot=th:",
        "ot=th: 8",
        "ot=th:-8",
        "ot=th:+8",
        "ot=th:0x8",
        "ot=th:8_0",
        "ot=th:g",
        "ot=th:8\n",
        "ot=th:٨",
        "ot=th:800000000000000",  # fifteen digits
        "ot=xth:8",
        "ot=rv:0123456789abcd",
        "ot=th:zz;th:8",
        "ot=x:" + "a" * 256 + ";th:8",
        "vendor=" + "a" * MAX_TRACE_STATE_CHARACTERS + ",ot=th:8",
    ],
)
def test_what_names_no_valid_threshold_says_nothing(trace_state: str) -> None:
    assert adjusted_count(trace_state) is None


def test_a_probability_below_one_in_a_million_is_taken_for_a_mistake() -> None:
    rarest = 2**56 - 2**56 // MAX_ADJUSTED_COUNT
    assert adjusted_count(f"ot=th:{rarest - 1:014x}") == pytest.approx(MAX_ADJUSTED_COUNT)
    assert adjusted_count(f"ot=th:{rarest + 1:014x}") is None
    assert adjusted_count("ot=th:ffffffffffffff") is None


@given(st.text(max_size=40) | st.text("ot=th:;,rv0f \t", max_size=40))
def test_any_text_yields_a_bounded_count_or_none(text: str) -> None:
    count = adjusted_count(text)
    assert count is None or 1 <= count <= MAX_ADJUSTED_COUNT


@given(st.integers(2**56 // MAX_ADJUSTED_COUNT + 1, 2**56))
def test_the_count_is_the_inverse_of_the_probability(kept: int) -> None:
    state = TraceState([("ot", f"th:{2**56 - kept:014x}"), ("vendor", "x")])
    assert adjusted_count(state.to_header()) == pytest.approx(2**56 / kept)
