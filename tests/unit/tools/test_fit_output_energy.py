"""The fit behind the parametric method, made again from the runs in this repository."""

from __future__ import annotations

import numpy as np
import pytest

from otel_carbon.core.parametric import OutputFit
from otel_carbon.registry.catalog import Registry
from tools.fit_output_energy import METHOD, fitted, left_out, read_runs, residual_sd

RUNS = read_runs()


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


def test_every_benchmarked_model_lies_within_the_bounds_that_the_fit_gives_to_published_sizes() -> None:
    on_h100 = [each.ratio for each in left_out(RUNS) if each.gpu == "H100"]
    spread = float(np.std(np.log(on_h100), ddof=1))
    assert float(np.exp(1.96 * spread)) == pytest.approx(2.0, abs=0.05)  # the method's `fit_factor`
    # Bounds of a model of published size, batch and host known: the fit's factor and the serving stack's.
    assert all(1 / (2.0 * 1.5) <= ratio <= 2.0 * 1.5 for ratio in on_h100)
