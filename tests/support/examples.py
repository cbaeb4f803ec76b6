"""The files of `docs/examples/`, and the commands that stand at the top of each."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from tools.make_clients import ROOT

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = ROOT / "docs" / "examples"
_COMMAND = re.compile(r"^(?:#|//)? {4,}(?=\S)")
"""What stands before a command, in a comment or in the text at the top of a module."""
_PLACEHOLDER = "..."


def commands_of(path: Path) -> list[str]:
    """The commands at the top of an example, in order; those over several lines as one."""
    commands: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if re.match(r"(import|from|[a-z_]+:)\b|[a-z_]+:$", line):
            break
        if _COMMAND.match(line):
            command = _COMMAND.sub("", line)
            if commands and commands[-1].endswith("\\"):
                command = commands.pop().removesuffix("\\") + command.strip()
            commands.append(command)
    return commands


def packages_of(path: Path) -> set[str]:
    """What the example's own line installs, beside our own package; versions are left out."""
    installs = [each for each in commands_of(path) if re.match(r"(pip|npm) install ", each)]
    words = [word for each in installs for word in shlex.split(each)[2:]]
    return {name_of(word) for word in words if not word.startswith(("-", ".["))}


def name_of(requirement: str) -> str:
    """A requirement of pip or npm without its version."""
    found = re.match(r"@?[\w./-]+(\[[\w,]+\])?", requirement)
    assert found, requirement
    return found[0]


def exports_of(path: Path, secret: str) -> dict[str, str]:
    """The variables that the example has its reader export; what the reader fills in is `secret`."""
    words = [word for each in commands_of(path) if each.startswith("export ") for word in shlex.split(each)[1:]]
    pairs = [word.partition("=") for word in words]
    return {name: secret if value == _PLACEHOLDER else value for name, _, value in pairs}


def command_of(path: Path, beginning: str) -> str:
    """The one command of the example that begins so."""
    (found,) = [each for each in commands_of(path) if each.startswith(beginning)]
    return found
