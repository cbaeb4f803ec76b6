"""A mistake as it is shown: where it is, what is wrong, and the line itself."""

from __future__ import annotations

from dataclasses import dataclass

from otel_carbon.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake, or one thing that looks unintended; secrets are hidden in all of it.

    Attributes:
        file: name of the file, or `--set`.
        line: from 1; 0 for the file as a whole.
        column: from 1; 0 when no place on the line is meant.
        width: how many characters are meant.
        key: key path such as `service.pipelines.traces.exporters[1]`; empty for the file as a whole.
        message: what is wrong, and what is allowed.
        written: the line of the file; empty when there is none.
    """

    file: str
    line: int = 0
    column: int = 0
    width: int = 0
    key: str = ""
    message: str = ""
    written: str = ""

    def __str__(self) -> str:
        """Write it as `file:line: key path: message`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class InvalidConfig(ConfigError):
    """A configuration that cannot be run.

    Attributes:
        findings: every mistake.
        warnings: what else looks unintended.
    """

    def __init__(self, findings: tuple[Finding, ...], warnings: tuple[Finding, ...] = ()) -> None:
        super().__init__(tuple(str(finding) for finding in findings))
        self.findings = findings
        self.warnings = warnings
