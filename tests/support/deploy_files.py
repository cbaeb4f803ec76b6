"""The files in `deploy/`, and the tools that check them, in the client environment `deploy`."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from tests.support.clients import client_environment, client_program

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy"
CHART = DEPLOY / "helm/otel-carbon"
ENVIRONMENT = "deploy"
_RENDER = REPOSITORY / "tests/deploy/render_chart.py"
_TIMEOUT_S = 120.0


def run_tool(program: str, *arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run one of the tools that check deployment files; its exit code is left to the caller."""
    return subprocess.run(
        [client_program(ENVIRONMENT, program), *arguments],
        env=client_environment(ENVIRONMENT),
        input=text,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )


def documents(text: str) -> list[Any]:
    """The YAML documents of a text as plain values, without empty ones."""
    return [each for each in YAML(typ="safe").load_all(text) if each]


def yaml_text(value: Any) -> str:
    """A value as YAML."""
    out = StringIO()
    YAML(typ="safe").dump(value, out)
    return out.getvalue()


class ChartRefused(Exception):
    """Helm refused the values; the text is what it said."""


@dataclass(frozen=True, slots=True)
class RenderedChart:
    """What Helm makes of the chart: objects in order, notes, and what its linter says."""

    objects: tuple[dict[str, Any], ...]
    notes: str
    lint: tuple[str, ...]

    def kinds(self) -> list[str]:
        """`Kind/name` of every object, sorted."""
        return sorted(f"{each['kind']}/{each['metadata']['name']}" for each in self.objects)

    def one(self, kind: str, name: str) -> dict[str, Any]:
        """The object of a kind and name."""
        (found,) = [each for each in self.objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
        return found


def render_chart(
    values: Mapping[str, Any] | None = None, *, name: str = "carbon", namespace: str = "observability"
) -> RenderedChart:
    """The chart with these values, by the real Helm library.

    Raises:
        ChartRefused: a value is wrong, or the chart itself refuses.
    """
    asked = json.dumps({"values": dict(values or {}), "name": name, "namespace": namespace})
    done = run_tool("python", _RENDER, CHART, text=asked)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise ChartRefused(answer["error"])
    files = answer["files"]
    notes = files.pop("NOTES.txt")
    objects = tuple(each for path in sorted(files) for each in documents(files[path]))
    return RenderedChart(objects, notes, tuple(answer["lint"]))
