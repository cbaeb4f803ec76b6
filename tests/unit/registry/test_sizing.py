"""From sizes to coefficients: the worked models, the causes of their bounds, and what clips them."""

from __future__ import annotations

from math import exp, log, sqrt
from typing import TYPE_CHECKING, Any, cast

import pytest

from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.sizing import Evidence, sized_energy

if TYPE_CHECKING:
    from otel_carbon.registry.facts import SizeMethod

METHOD = cast("SizeMethod", Registry.bundled().fact("method/parametric@2026-11-26"))


def evidence(active: tuple[float, float], total: tuple[float, float] | None = None, **known: Any) -> Evidence:
    """A closed model of guessed size, without a price, unless told otherwise."""
    told: dict[str, Any] = {
        "guessed": True,
        "developer": "acme",
        "open_weights": False,
        "embeddings": False,
        "benchmark_wh_per_ktoken": None,
        "other_wh_per_ktoken": (None, None),
        "input_usd_per_mtok": None,
        "output_usd_per_mtok": None,
        **known,
    }
    return Evidence(active, total or active, **told)


OPEN: dict[str, Any] = {"guessed": False, "open_weights": True}


@pytest.mark.parametrize(
    ("model", "pue", "mid", "low_mid_high"),
    [
        (evidence((44, 132), (440, 440), output_usd_per_mtok=10.0), 1.16, 0.80, (0.26, 0.80, 3.7)),
        (evidence((8, 28), output_usd_per_mtok=0.60), 1.16, 0.06, (0.02, 0.06, 0.60)),
        (evidence((30, 90), (300, 300), output_usd_per_mtok=10.0), 1.16, 0.57, (0.18, 0.57, 2.6)),
        (
            evidence((540, 1800), (5400, 5400), output_usd_per_mtok=180.0, other_wh_per_ktoken=(173.9, 535.6)),
            1.16,
            9.1,
            (1.5, 9.1, 180),
        ),
        (
            evidence((44, 132), (440, 440), output_usd_per_mtok=15.0, developer="anthropic"),
            1.12,
            0.77,
            (0.25, 0.77, 3.6),
        ),
        (evidence((10, 35), output_usd_per_mtok=5.0, developer="anthropic"), 1.12, 0.07, (0.02, 0.07, 0.75)),
        (evidence((44, 132), (440, 440), output_usd_per_mtok=2.5, developer="google"), 1.09, 0.75, (0.24, 0.75, 3.5)),
        (evidence((41, 41), (675, 675), **OPEN), 1.2, 0.94, (0.46, 0.94, 1.5)),
        (evidence((123, 123), **OPEN), 1.2, 0.41, (0.20, 0.41, 1.4)),
        (evidence((70, 70), benchmark_wh_per_ktoken=0.15649, **OPEN), 1.2, 0.29, (0.15, 0.29, 0.72)),
    ],
    ids=[
        "gpt-4o",
        "gpt-4o-mini",
        "gpt-5",
        "gpt-5.5-pro",
        "claude-sonnet-4-5",
        "claude-haiku-4-5",
        "gemini-2.5-flash",
        "mistral-large-2512",
        "mistral-large-2407",
        "llama-3.1-70b",
    ],
)
def test_a_model_comes_out_as_worked_by_hand(
    model: Evidence, pue: float, mid: float, low_mid_high: tuple[float, float, float]
) -> None:
    found = sized_energy(METHOD, model).output_wh_per_ktoken.scaled(pue)
    assert found.mid == pytest.approx(mid, rel=0.25)
    assert found.low <= low_mid_high[1] <= found.high


def test_the_bounds_are_the_root_of_the_summed_squares_of_their_causes() -> None:
    found = sized_energy(METHOD, evidence((44, 132), (440, 440))).output_wh_per_ktoken

    def batch_part(batch: float) -> float:
        at = log(batch / 64)
        return -0.5124 * at + 0.0429 * at * at

    more_by_batch = exp(batch_part(16) - batch_part(128))
    less_by_batch = exp(batch_part(128) - batch_part(512))
    up = exp(sqrt(sum(log(factor) ** 2 for factor in (more_by_batch, 2.2 / 1.57, 2.0, 2.0))))
    down = exp(sqrt(sum(log(factor) ** 2 for factor in (less_by_batch, 1.57 / 1.3, 2.0, 2.0))))
    assert (round(up, 1), round(down, 1)) == (4.6, 3.1)
    assert found.high == pytest.approx(found.mid * up)
    assert found.low == pytest.approx(found.mid / down)


def test_a_published_size_has_a_narrower_range_than_a_guessed_one_and_a_benchmark_the_narrowest() -> None:
    guessed = sized_energy(METHOD, evidence((70, 70)))
    published = sized_energy(METHOD, evidence((70, 70), **OPEN))
    benchmarked = sized_energy(METHOD, evidence((70, 70), benchmark_wh_per_ktoken=0.15649, **OPEN))
    spreads = [
        each.output_wh_per_ktoken.high / each.output_wh_per_ktoken.low for each in (guessed, published, benchmarked)
    ]
    assert spreads == sorted(spreads, reverse=True)
    assert (guessed.method, benchmarked.method) == ("parametric", "benchmark")
    assert "size_guessed" in guessed.assumptions
    assert "size_guessed" not in published.assumptions


def test_a_price_clips_what_it_cannot_pay_for_and_says_so() -> None:
    price = 0.1  # USD for a million tokens: 0.1 kWh of facility energy at most, 0.0833 Wh of IT for a thousand
    found = sized_energy(METHOD, evidence((8, 28), output_usd_per_mtok=price))
    assert found.output_wh_per_ktoken.high == pytest.approx(price * 1.0 / 1.2)
    assert "clipped_to_ceiling" in found.assumptions
    assert "ceiling" in found.derivation


def test_a_mid_above_the_ceiling_is_lowered_and_says_so() -> None:
    found = sized_energy(METHOD, evidence((200, 600), (2000, 2000), output_usd_per_mtok=0.5))
    assert found.output_wh_per_ktoken.high == pytest.approx(0.5 / 1.2)
    assert found.output_wh_per_ktoken.mid == pytest.approx(0.5 / 1.2 / 2)
    assert {"outside_fit", "mid_clipped_to_ceiling", "clipped_to_ceiling"} <= set(found.assumptions)


def test_developers_with_chips_of_their_own_may_spend_twice_as_much_on_electricity() -> None:
    def high(developer: str) -> float:
        cheap = evidence((44, 132), (440, 440), output_usd_per_mtok=1.0, developer=developer)
        return sized_energy(METHOD, cheap).output_wh_per_ktoken.high

    assert high("google") == pytest.approx(2 * high("openai"))


def test_a_price_says_nothing_of_weights_that_anyone_may_host() -> None:
    cheap = sized_energy(METHOD, evidence((70, 70), output_usd_per_mtok=0.01, **OPEN))
    assert cheap == sized_energy(METHOD, evidence((70, 70), **OPEN))


def test_a_size_that_its_price_contradicts_gets_a_high_of_ten_times_the_mid() -> None:
    found = sized_energy(METHOD, evidence((10, 35), output_usd_per_mtok=5.0)).output_wh_per_ktoken
    assert found.mid * 1.2 / 5.0 < 0.03  # kWh per USD
    assert found.high == pytest.approx(10 * found.mid)


def test_bytes_read_for_each_token_of_context_become_energy_of_long_contexts() -> None:
    of_70b = 80 * 8 * 128 * 2 * 2  # layers, heads, values, keys and values, bytes
    found = sized_energy(METHOD, evidence((70, 70), kv_bytes_per_token=of_70b, **OPEN)).context_wh_per_ktoken_ktoken
    gigabytes = of_70b * 1000 * 1000 / 1e9
    assert found is not None
    assert found.low == 0.0
    assert found.mid == pytest.approx(gigabytes * 600 / 3350 / 3600 * 1.57, rel=0.01)
    assert found.high == pytest.approx(found.mid * exp(sqrt(log(0.224 / 0.18) ** 2 + log(2.2 / 1.57) ** 2)))
    assert sized_energy(METHOD, evidence((70, 70), **OPEN)).context_wh_per_ktoken_ktoken is None


def test_another_admissible_method_widens_the_bounds_and_leaves_the_mid() -> None:
    alone = sized_energy(METHOD, evidence((44, 132), (440, 440)))
    wide = sized_energy(METHOD, evidence((44, 132), (440, 440), other_wh_per_ktoken=(0.01, 9.0)))
    assert wide.output_wh_per_ktoken.high == 9.0
    assert wide.output_wh_per_ktoken.low == pytest.approx(0.0025 * 44 * 1.3 / 3.6)  # 0.01 lies below the floor
    assert wide.output_wh_per_ktoken.mid == alone.output_wh_per_ktoken.mid
    assert "widened_by_other_method" in wide.assumptions
    narrow = evidence((44, 132), (440, 440), other_wh_per_ktoken=(0.5, 1.0))
    assert sized_energy(METHOD, narrow) == alone


def test_an_embedding_takes_the_arithmetic_of_reading() -> None:
    found = sized_energy(METHOD, evidence((0.335, 0.335), embeddings=True, **OPEN))
    seconds = 2 * 0.335e9 * 1000 / (989e12 * 0.4)
    assert found.input_wh_per_ktoken.mid == pytest.approx(seconds * 700 / 3600 * 1.57)
    assert found.output_wh_per_ktoken.high == 0.0
    assert found.assumptions == ("hardware_guessed",)
