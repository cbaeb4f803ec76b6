"""Run a real program beside the tests: output into a file, watched while starting, stopped for certain."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tests.support.ports import is_listening
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")

_LOG_TAIL_CHARACTERS = 2000
_STOP_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class ManagedProcess:
    """A started program; its output goes to files so that it never blocks on a full pipe."""

    popen: subprocess.Popen[bytes]
    stdout_path: Path
    stderr_path: Path

    def stdout(self) -> str:
        """Everything written to standard output so far."""
        return self.stdout_path.read_text(encoding="utf-8", errors="replace")

    def stderr(self) -> str:
        """Everything written to standard error so far."""
        return self.stderr_path.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, probe: Callable[[], T | None], *, timeout_s: float, what: str) -> T:
        """Like `wait_until`, but gives up at once when the program has ended.

        Raises:
            RuntimeError: when the program ended first; the message holds the end of its output.
            TimeoutError: when the condition did not come true within `timeout_s` seconds.
        """

        def probe_while_running() -> T | None:
            answer = probe()
            if not answer and self.popen.poll() is not None:
                raise RuntimeError(f"{self.popen.args!r} ended with {self.popen.returncode}:\n{self.tail()}")
            return answer

        try:
            return wait_until(probe_while_running, timeout_s=timeout_s, what=what)
        except TimeoutError as late:
            raise TimeoutError(f"{late}\n{self.tail()}") from None

    def wait_until_listening(self, port: int, *, timeout_s: float) -> None:
        """Wait until the program takes connections on a TCP port; raises as `wait_for` does."""
        self.wait_for(lambda: is_listening(port), timeout_s=timeout_s, what=f"listener on port {port}")

    def tail(self) -> str:
        """The end of both outputs, for error messages."""
        return (self.stdout() + self.stderr())[-_LOG_TAIL_CHARACTERS:]

    def write_line(self, line: str) -> None:
        """Send one line to the program's standard input."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(f"{line}\n".encode())
        self.popen.stdin.flush()

    def close_input(self) -> None:
        """Close the program's standard input: our programs take that as "finish now"."""
        if self.popen.stdin and not self.popen.stdin.closed:
            self.popen.stdin.close()

    def finish(self, timeout_s: float = _STOP_TIMEOUT_S) -> int:
        """Close its input and return its exit code.

        Raises:
            subprocess.TimeoutExpired: when it has not ended within `timeout_s` seconds.
        """
        self.close_input()
        return self.popen.wait(timeout_s)

    def stop(self) -> int:
        """End the program, politely first, and return its exit code."""
        self.close_input()
        if self.popen.poll() is None:
            self.popen.terminate()
        try:
            return self.popen.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            return self.popen.wait(_STOP_TIMEOUT_S)


def start(
    command: Sequence[str | Path], *, folder: Path, name: str, environment: Mapping[str, str] | None = None
) -> ManagedProcess:
    """Start a program with its output in `folder/name.out` and `folder/name.err`.

    Args:
        command: program and arguments.
        folder: where the output files go.
        name: their common name.
        environment: the whole environment; None means the one of the tests.
    """
    stdout_path, stderr_path = folder / f"{name}.out", folder / f"{name}.err"
    with stdout_path.open("wb") as out, stderr_path.open("wb") as err:
        popen = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=err,
            env=None if environment is None else dict(environment),
        )
    return ManagedProcess(popen, stdout_path, stderr_path)
