"""Starts the observer of `otel-carbon doctor` in this Python, then runs the `sitecustomize` that this one hides.

It stands alone: whichever Python finds it may have no otel-carbon.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - every Python of the command would load pathlib
REPORTS = "OTEL_CARBON_DOCTOR_REPORTS"


def _observe(folder: str) -> None:
    try:
        from otel_carbon.doctor.observer.start import start
    except ImportError as error:
        _write_problem(folder, str(error))
    else:
        start(folder, _stay_first)


def _write_problem(folder: str, problem: str) -> None:
    import json

    path = os.path.join(folder, f"{os.getpid()}.json")  # noqa: PTH118 - as above
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
        json.dump({"pid": os.getpid(), "python": sys.executable, "problem": problem}, file)


def _run_hidden() -> None:
    """Run the `sitecustomize` that Python would have found without us, as `opentelemetry-instrument` brings one."""
    sys.path[:] = [each for each in sys.path if os.path.abspath(each) != HERE]  # noqa: PTH100 - as above
    spec = PathFinder.find_spec("sitecustomize")
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def _stay_first() -> None:
    """See to it that the Pythons that this one starts find us first: what was hidden may have put itself there."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if HERE in paths[1:]:
        os.environ["PYTHONPATH"] = os.pathsep.join([HERE, *(each for each in paths if each != HERE)])


if os.environ.get(REPORTS):
    with suppress(Exception):  # the application runs without being observed rather than not at all
        _observe(os.environ[REPORTS])
try:
    _run_hidden()
finally:
    _stay_first()
