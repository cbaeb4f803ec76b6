"""Draws every dashboard from days of sample traffic: `python -m tools.draw_dashboards`."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from otel_carbon.budgets.read import read_budgets
from otel_carbon.budgets.rules import rules_text
from tests.support.dashboard_files import FOLDER
from tests.support.prometheus_history import write_history as write_blocks
from tests.support.prometheus_server import running_prometheus
from tools.draw_dashboards.recorded_history import by_what_they_read, recorded_samples, rules_of
from tools.draw_dashboards.sample_history import SCRAPE_S, write_history

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
PICTURES = REPOSITORY / "docs" / "images"
RULES = REPOSITORY / "deploy" / "prometheus" / "rules" / "otel-carbon.yaml"
DAYS = 3
BUDGETS = """\
budgets:
  - {name: all-inference, owner: sustainability, scope: {}, amount: 30, unit: kgCO2e, window: 7d, bound: high}
  - {name: search, owner: team-search, scope: {service: storefront-search}, amount: 1.5, unit: kWh, window: 7d}
  - {name: research, owner: team-research, scope: {service: research-agents}, amount: 4500000, unit: tokens, window: 7d}
"""


def main() -> int:
    """Make the history, the blocks and the pictures; 0 done, 2 something is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="keep the history here, and use it again when it is there")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("names", nargs="*", help="dashboards; all unless given")
    arguments = parser.parse_args()
    missing = [
        each for each in ("prometheus", "promtool", "node", "chromium", "pngquant") if shutil.which(each) is None
    ]
    if missing or not (HERE / "node_modules").is_dir():
        print(f"missing: {', '.join(missing) or 'node_modules'}; see {HERE / 'README.md'}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.data or Path(temporary)
        if not (folder / "window.json").is_file():
            _make_history(folder)
        _draw(folder, arguments.names or sorted(each.stem for each in FOLDER.glob("*.json")), arguments.theme)
    return 0


def _make_history(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    end_s = int(time.time()) // SCRAPE_S * SCRAPE_S
    write_blocks(folder / "tsdb", write_history(folder, end_s, DAYS))
    (folder / "budgets.yaml").write_text(BUDGETS, encoding="utf-8")
    budget_rules = folder / "budget-rules.yaml"
    now = datetime.fromtimestamp(end_s, UTC)
    budget_rules.write_text(rules_text(read_budgets(folder / "budgets.yaml").budgets, now), encoding="utf-8")
    for step in by_what_they_read(rules_of((RULES, budget_rules))):
        with running_prometheus(folder) as server, (folder / "recorded.txt").open("w", encoding="utf-8") as file:
            for rule in step:
                file.writelines(recorded_samples(server, rule, end_s - DAYS * 86_400, end_s, SCRAPE_S))
            file.write("# EOF\n")
        write_blocks(folder / "tsdb", folder / "recorded.txt")
    (folder / "window.json").write_text(json.dumps({"end_s": end_s, "scrape_s": SCRAPE_S}), encoding="utf-8")


def _draw(folder: Path, names: list[str], theme: str) -> None:
    window = json.loads((folder / "window.json").read_text(encoding="utf-8"))
    with running_prometheus(folder) as server:
        settings = {
            "prometheus": server.url,
            "dashboards": str(FOLDER),
            "pictures": str(PICTURES),
            "names": names,
            "theme": theme,
        }
        subprocess.run(["node", "shoot.mjs", json.dumps(settings | window)], cwd=HERE, check=True)


if __name__ == "__main__":
    sys.exit(main())
