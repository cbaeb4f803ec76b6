"""Generates `deploy/grafana/dashboards/*.json` from the modules in `tools/dashboards/`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

REPOSITORY = Path(__file__).resolve().parents[1]
if str(REPOSITORY) not in sys.path:  # started as a file, Python looks beside it only
    sys.path.insert(0, str(REPOSITORY))

from tools.generated_page import write_or_check  # noqa: E402 - the path above comes first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.dashboards.board import Board

FOLDER = Path("deploy/grafana/dashboards")
COMMAND = "python tools/generate_dashboards.py"


def boards() -> list[Board]:
    """All dashboards, in the order in which they are read."""
    from tools.dashboards import collector, models, overview, quality, regions, tenants

    return [
        overview.overview(),
        models.models(),
        tenants.tenants(),
        regions.regions(),
        quality.quality(),
        collector.collector(),
    ]


def dashboard_text(board: Board) -> str:
    """The JSON that Grafana reads."""
    from grafana_foundation_sdk.cog.encoder import JSONEncoder

    from tools.dashboards.board import build

    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(build(board)) + "\n"


def dashboards() -> dict[str, dict[str, object]]:
    """Every dashboard as it is written, by the name of its file."""
    return {board.name: json.loads(dashboard_text(board)) for board in boards()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with `--check` only compare; 0 done, 1 out of date."""
    return max(_write_or_check(board, arguments) for board in boards())


def _write_or_check(board: Board, arguments: Sequence[str] | None) -> int:
    file = FOLDER / f"{board.name}.json"
    return write_or_check(file, lambda: dashboard_text(board), command=COMMAND, about=__doc__, arguments=arguments)


if __name__ == "__main__":
    sys.exit(main())
