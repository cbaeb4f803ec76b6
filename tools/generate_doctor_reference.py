"""Generates `docs/reference/doctor.md`, every finding of `otel-carbon doctor`, from the table of findings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

REPOSITORY = Path(__file__).resolve().parents[1]
if str(REPOSITORY) not in sys.path:  # started as a file, Python looks beside it only
    sys.path.insert(0, str(REPOSITORY))

from tools.generated_page import write_or_check  # noqa: E402 - the path above comes first

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_carbon.doctor.findings import FindingKind

PAGE = Path("docs/reference/doctor.md")
COMMAND = "python tools/generate_doctor_reference.py"

INTRODUCTION = """\
What [`otel-carbon doctor`](../doctor.md) may find.
Codes are stable: new ones may be added, existing ones keep their meaning.
The line to add or change is printed with its `{names}` filled in.
A finding that is but a consequence of another one is left out beside it."""
HEADINGS = {
    "error": "## Errors\n\nFigures are missing or wrong. The exit code is 1.",
    "warning": "## Warnings\n\nSome figures are missing or wrong, or will be. The exit code is 1.",
    "note": "## Notes\n\nNothing is lost. The exit code is 0 where there are only notes.",
}


def doctor_page() -> str:
    """The text of the page."""
    from otel_carbon.doctor.findings import SEVERITIES, finding_kinds

    blocks = ["# Findings of the doctor", f"<!-- Generated from the table of findings by `{COMMAND}`; do not edit. -->"]
    blocks.append(INTRODUCTION)
    for severity in SEVERITIES:
        kinds = [kind for kind in finding_kinds().values() if kind.severity == severity]
        blocks += [HEADINGS[severity], "\n".join(_rows(kinds))]
    return "\n\n".join(blocks) + "\n"


def _rows(kinds: Sequence[FindingKind]) -> Iterator[str]:
    yield "| code | meaning | line to add or change | leaves out |"
    yield "| --- | --- | --- | --- |"
    for kind in kinds:
        advice = kind.advice.replace("{{", "{").replace("}}", "}")
        line = f"`{advice}`" if advice != "{advice}" else "as the case is"
        hidden = ", ".join(f"`{code}`" for code in kind.hides)
        yield f'| <a id="{kind.code}"></a>`{kind.code}` | {kind.sentence} | {line} | {hidden} |'


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or with `--check` only compare; 0 done, 1 drift."""
    return write_or_check(PAGE, doctor_page, command=COMMAND, about=__doc__, arguments=arguments)


if __name__ == "__main__":
    raise SystemExit(main())
