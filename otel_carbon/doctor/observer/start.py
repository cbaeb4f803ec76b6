"""Starts observing a process, and sees to it that its report is written however it ends.

Imported at the start of every Python of the command, so it loads little.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from functools import wraps
from typing import TYPE_CHECKING, Any

from otel_carbon.doctor.observer.imports import ImportWatch
from otel_carbon.doctor.observer.journal import Journal
from otel_carbon.doctor.observer.notes import Notes
from otel_carbon.doctor.observer.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

BETWEEN_WRITES_S = 1.0
"""Time between two reports of a process; what it notes in the meantime is in its journal."""


class Observer:
    """The observer of this process.

    `folder` is where the report goes. `stay_first` lets a Python that takes this one's place find us, and not what
    would hide us.
    """

    def __init__(self, folder: str, stay_first: Callable[[], None]) -> None:
        self.journal = Journal(folder)
        self.notes = Notes(self.journal.add)
        self._folder = folder
        self._stay_first = stay_first
        self._writing = threading.RLock()  # a signal may come while the same thread writes
        self._written_at_s = 0.0
        self._ended = self._ending = self._told_to_end = False

    def begin(self) -> None:
        """Watch what is imported, and every way out."""
        self._write("")
        self._written_at_s = 0.0  # the first span is written down at once
        ImportWatch(Patches(self.notes, self._at_span_end).by_module()).start()
        atexit.register(self._end, "exit")
        os._exit = self._before(os._exit, "os._exit")
        os.execv = self._before(os.execv, "exec")
        os.execve = self._before(os.execve, "exec")
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._in_child)
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._on_sigterm)

    def _in_child(self) -> None:
        self.journal.begin_in_child()
        self.notes.empty()
        self.notes.inherited = True
        self._writing = threading.RLock()
        self._ended = self._ending = self._told_to_end = False
        self._write("")
        self._written_at_s = 0.0

    def _before(self, leave: Callable[..., Any], how: str) -> Callable[..., Any]:
        """A way out of the process, with the report written before."""

        @wraps(leave)
        def leaving(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the signature of what is wrapped
            self._end(how)
            if how == "exec":
                self._stay_first()
            return leave(*args, **kwargs)

        return leaving

    def _on_sigterm(self, _number: int, _frame: FrameType | None) -> None:
        """End as without us: by the signal, but not in the middle of the last report."""
        if self._ending:
            self._told_to_end = True
        else:
            self._end("SIGTERM")
            _die_of_sigterm()

    def _at_span_end(self) -> None:
        """Write at the first span, then once a second, or when the journal is full."""
        due = self.journal.is_full or time.monotonic() - self._written_at_s >= BETWEEN_WRITES_S
        if due and self._writing.acquire(blocking=False):
            try:
                self._write("")
            finally:
                self._writing.release()

    def _end(self, how: str) -> None:
        if self._ended:
            return
        self._ending = True
        self._ended = how != "exec"  # which may fail, and then the process goes on
        try:
            if self._writing.acquire(timeout=BETWEEN_WRITES_S):  # else a thread of old still holds it
                try:
                    self._write(how)
                finally:
                    self._writing.release()
        finally:
            self._ending = False
        if self._told_to_end:
            _die_of_sigterm()

    def _write(self, ended: str) -> None:
        self._written_at_s = time.monotonic()
        journal = 0
        try:
            if not ended and not self.notes.spans:
                body = b'{"pid": %d}' % os.getpid()
            else:
                from otel_carbon.doctor.observer.report import report_body

                with self.notes.lock:  # what comes behind this report goes into the next journal
                    journal = self.journal.turn()
                    body = report_body(self.notes, ended, journal)
            path = os.path.join(self._folder, f"{os.getpid()}.json")  # noqa: PTH118 - loads no pathlib into applications
            with open(f"{path}.new", "wb") as file:  # noqa: PTH123 - as above
                file.write(body)
            os.replace(f"{path}.new", path)  # noqa: PTH105 - as above
            self.journal.forget_before(journal)
        except Exception:  # noqa: S110 - the application goes on without being reported on
            pass


def _die_of_sigterm() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


_observers: list[Observer] = []


def start(folder: str, stay_first: Callable[[], None]) -> None:
    """Observe this process, once."""
    if not _observers:
        _observers.append(Observer(folder, stay_first))
        _observers[0].begin()
