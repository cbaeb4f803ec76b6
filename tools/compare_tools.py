"""Asks otel-carbon and other tools the same questions, and prints the answers that `docs/comparison.md` shows.

Needs a clone with `pip install -e '.[dev]'`, which brings EcoLogits. It installs nothing.
OpenLIT and CodeCarbon are asked in environments of their own: `python tools/make_clients.py openlit codecarbon` makes
them in `.clients/`, or `--python openlit=PATH` names the Python of one that has them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # started by its path, Python has put the folder of tools there
    sys.path.insert(0, str(ROOT))

from tools.comparison import estimates, other_environments, recorded  # noqa: E402 - found by the line above

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tools.comparison.questions import Table

QUESTIONS: Mapping[str, Callable[[], Table]] = {
    "calls": estimates.calls_table,
    "models": estimates.models_table,
    "places": estimates.places_table,
    "interval": recorded.interval_table,
    "spans": recorded.spans_table,
}
"""What can be answered in the environment of this project."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the answers to the named questions, or to all; 0 done, 3 when an environment is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*QUESTIONS, *other_environments.PROGRAMS]
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=f"of {', '.join(names)}; all without one")
    parser.add_argument(
        "--python", action="append", default=[], metavar="TOOL=PATH", help="the Python of an environment"
    )
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.questions) - set(names)):
        parser.error(f"no question {', '.join(unknown)}; there are {', '.join(names)}")
    pythons = dict(each.partition("=")[::2] for each in given.python)
    print(estimates.versions())
    missing = 0
    for name in given.questions or names:
        try:
            table = QUESTIONS[name]() if name in QUESTIONS else other_environments.table(name, pythons.get(name))
        except FileNotFoundError as error:
            missing += 1
            print(f"\n{name}: {error}")
        else:
            print(f"\n{table.text()}", end="")
    return 3 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
