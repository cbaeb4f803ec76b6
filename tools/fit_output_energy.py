"""Fit the energy of output tokens over benchmark runs, and say how well it does on models that it has not seen.

`python tools/fit_output_energy.py` prints the coefficients, the spread of the residuals, and for each family what the
fit over all other families says of it. `--check` exits 1 when the registry's method fact says otherwise.
Needs numpy, which the extra `dev` brings.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from otel_carbon.core.parametric import OutputFit, Size, accelerator_wh_per_ktoken
from otel_carbon.registry.catalog import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS = Path(__file__).parent / "data/ml_energy_chat_runs.csv"
METHOD = "method/parametric@2026-11-26"
BATCH_ORIGIN = 64.0
WITHIN = 2.0


class Run(NamedTuple):
    """One benchmark run: energy of the accelerators in joules per output token, at an average batch."""

    model: str
    family: str
    size: Size
    fp8: bool
    b200: bool
    batch: float
    joules: float


class LeftOut(NamedTuple):
    """What the fit over the other families says of a model, relative to its run nearest to a batch of 64."""

    model: str
    family: str
    gpu: str
    ratio: float


def read_runs(path: Path = RUNS) -> list[Run]:
    """The runs."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [
        Run(
            row["model"],
            row["family"],
            Size(float(row["active_b"]), float(row["total_b"])),
            row["precision"] == "fp8",
            row["gpu"] == "B200",
            float(row["batch"]),
            float(row["joules_per_output_token"]),
        )
        for row in csv.DictReader(lines)
    ]


def fitted(runs: Sequence[Run]) -> OutputFit:
    """Least squares in logarithms, every family of models with the same weight."""
    families = [run.family for run in runs]
    weights = np.sqrt([1.0 / families.count(family) for family in families])
    terms = np.array([_terms(run) for run in runs])
    energies = np.log([run.joules for run in runs])
    coefficients, *_ = np.linalg.lstsq(terms * weights[:, None], energies * weights, rcond=None)
    rounded = {name: round(float(one), 4) for name, one in zip(OutputFit._fields, coefficients, strict=False)}
    return OutputFit(**rounded, batch_origin=BATCH_ORIGIN)


def _terms(run: Run) -> list[float]:
    at = math.log(run.batch / BATCH_ORIGIN)
    return [1.0, math.log(run.size.active_b), math.log(run.size.total_b), at, at * at, float(run.fp8), float(run.b200)]


def ratio(fit: OutputFit, run: Run) -> float:
    """What the fit says of a run, relative to what the run took."""
    wh = accelerator_wh_per_ktoken(fit, run.size, run.batch, fp8=run.fp8, b200=run.b200)
    return wh / (run.joules / 3.6)


def residual_sd(fit: OutputFit, runs: Sequence[Run]) -> float:
    """Standard deviation of the logarithm of `ratio`."""
    return float(np.std([math.log(ratio(fit, run)) for run in runs]))


def left_out(runs: Sequence[Run]) -> list[LeftOut]:
    """For each model and accelerator, the fit without its family against the run nearest to the origin of the batch."""
    found = []
    for model, b200 in sorted({(run.model, run.b200) for run in runs}):
        own = [run for run in runs if (run.model, run.b200) == (model, b200)]
        nearest = min(own, key=lambda run: abs(math.log(run.batch / BATCH_ORIGIN)))
        others = fitted([run for run in runs if run.family != nearest.family])
        found.append(LeftOut(model, nearest.family, "B200" if b200 else "H100", ratio(others, nearest)))
    return found


def main() -> int:
    """Print the fit; with `--check` compare it with the registry."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="exit 1 when the registry's method fact differs")
    check = parser.parse_args().check
    runs = read_runs()
    fit = fitted(runs)
    for name, coefficient in zip(fit._fields, fit, strict=True):
        sys.stdout.write(f"{name:18} {coefficient:8.4f}\n")
    sys.stdout.write(f"residual sd of the logarithm {residual_sd(fit, runs):.2f} over {len(runs)} runs\n")
    for gpu in ("H100", "B200"):
        tried = [each for each in left_out(runs) if each.gpu == gpu]
        within = sum(1 / WITHIN <= each.ratio <= WITHIN for each in tried)
        ratios = [each.ratio for each in tried]
        sd = float(np.std(np.log(ratios), ddof=1))
        sys.stdout.write(
            f"{gpu}, family left out: {within} of {len(tried)} within a factor of {WITHIN:g}, "
            f"{min(ratios):.2f} to {max(ratios):.2f}, sd of the logarithm {sd:.2f}\n"
        )
    if not check:
        return 0
    stated = Registry.bundled().fact(METHOD)
    differing = [name for name in fit._fields if getattr(stated, name) != getattr(fit, name)]
    for name in differing:
        sys.stderr.write(f"{METHOD}: {name} is {getattr(stated, name)}, the fit gives {getattr(fit, name)}\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
