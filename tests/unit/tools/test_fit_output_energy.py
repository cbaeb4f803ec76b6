"""The fit behind the parametric method, made again from the runs in this repository."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from otel_carbon.core.parametric import OutputFit
from otel_carbon.registry.catalog import Registry
from otel_carbon.registry.sizing import Evidence, sized_energy
from tools.fit_output_energy import METHOD, fitted, left_out, read_runs, residual_sd

if TYPE_CHECKING:
    from otel_carbon.registry.facts import SizeMethod

RUNS = read_runs()
METHOD_FACT = cast("SizeMethod", Registry.bundled().fact(METHOD))
NOTHING_ELSE_KNOWN = Evidence((1, 1), (1, 1), False, "", True, False, None, (None, None), None, None)
"""Of open weights of published size."""


def test_the_registry_holds_the_coefficients_of_the_fit() -> None:
    stated = Registry.bundled().fact(METHOD)
    assert fitted(RUNS) == OutputFit(*(getattr(stated, name) for name in OutputFit._fields))


def test_the_runs_scatter_by_0_27_around_the_fit() -> None:
    assert residual_sd(fitted(RUNS), RUNS) == pytest.approx(0.27, abs=0.01)


@pytest.mark.parametrize(("gpu", "within", "models"), [("H100", 14, 16), ("B200", 16, 16)])
def test_with_its_family_left_out_a_model_is_found_within_a_factor_of_two(gpu: str, within: int, models: int) -> None:
    ratios = [each.ratio for each in left_out(RUNS) if each.gpu == gpu]
    assert len(ratios) == models
    assert sum(0.5 <= ratio <= 2.0 for ratio in ratios) == within


def test_the_methods_fit_factor_is_1_96_times_the_spread_of_models_left_out() -> None:
    spread = float(np.std([log(each.ratio) for each in left_out(RUNS) if each.gpu == "H100"], ddof=1))
    assert exp(1.96 * spread) == pytest.approx(METHOD_FACT.fit_factor, abs=0.05)


def test_every_benchmarked_model_lies_within_the_bounds_that_a_fit_without_its_family_gives_its_size() -> None:
    outside = []
    for model in sorted({run.model for run in RUNS if not run.b200}):
        own = [run for run in RUNS if run.model == model and not run.b200]
        run = min(own, key=lambda each: abs(log(each.batch / 64)))
        method = replace(METHOD_FACT, **fitted([each for each in RUNS if each.family != run.family])._asdict())
        active_b, total_b = (run.size.active_b,) * 2, (run.size.total_b,) * 2
        bounds = sized_energy(
            method, NOTHING_ELSE_KNOWN._replace(active_b=active_b, total_b=total_b)
        ).output_wh_per_ktoken
        it_wh_per_ktoken = run.joules / 3.6 * 1.57  # host and idle reserve on top of the accelerators
        if not bounds.low <= it_wh_per_ktoken <= bounds.high:
            outside.append(model)
    assert outside == []
