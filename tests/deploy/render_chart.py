"""Renders our chart with the real Helm library, in the environment of the deployment tools: values in, documents out.

Standard input is JSON with `values`, `name` and `namespace`; standard output is JSON with `files` by name and `lint`,
the messages of the linter, or with `error` when Helm refuses.
"""

from __future__ import annotations

import json
import sys

import helm_python

SEVERITIES = {1: "info", 2: "warning", 3: "error"}


def main() -> None:
    """Render the chart that is the only argument."""
    chart = sys.argv[1]
    asked = json.load(sys.stdin)
    answer: dict[str, object] = {}
    try:
        found = helm_python.lint(chart, asked["values"], strict=True)
        answer["lint"] = [f"{SEVERITIES.get(each['severity'])}: {each['error']}" for each in found["messages"]]
        rendered = helm_python.Chart.load(chart).render(
            asked["values"], name=asked["name"], namespace=asked["namespace"]
        )
        answer["files"] = {path.rpartition("/")[2]: text for path, text in rendered.items()}
    except helm_python.HelmError as error:
        answer["error"] = str(error)
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
