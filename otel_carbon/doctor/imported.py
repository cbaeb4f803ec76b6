"""Tries whether the instrumentations of installed clients can be imported, in a Python of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from otel_carbon.doctor.clients import client_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_carbon.doctor.facts import Environment, Instrumentation

TIMEOUT_S = 30.0
"""The slowest instrumentation known takes some seconds with its client."""
TRIAL = """
import importlib, json, os, sys
told = os.dup(1)
os.dup2(2, 1)  # whatever modules print
failed = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed[name] = "ImportError: " + str(error.name or "unknown")
    except BaseException as error:
        failed[name] = type(error).__name__
os.write(told, json.dumps(failed).encode())
os._exit(0)
"""


def with_import_errors(environment: Environment) -> Environment:
    """The same facts, and of each instrumentation that would be started why it cannot be imported.

    Automatic instrumentation passes over such a one without a word.
    """
    tried = sorted({each.module for each in environment.instrumentations if _would_start(environment, each)})
    failed = _failed(tried) if tried else {}
    changed = (replace(each, import_error=failed.get(each.module, "")) for each in environment.instrumentations)
    return replace(environment, instrumentations=tuple(changed)) if failed else environment


def _would_start(environment: Environment, instrumentation: Instrumentation) -> bool:
    clients = {client.distribution for client in client_table().clients} & environment.packages.keys()
    usable = not instrumentation.required and not environment.leaves_out(instrumentation.name)
    return usable and not clients.isdisjoint(instrumentation.instruments)


def _failed(modules: list[str]) -> Mapping[str, str]:
    """Modules to errors; empty when the trial itself does not come to its end."""
    try:
        done = subprocess.run(  # noqa: S603 - our own Python and program
            [sys.executable, "-P", "-c", TRIAL, *modules],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
        failed = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    return {str(name): str(error) for name, error in failed.items()} if isinstance(failed, dict) else {}
