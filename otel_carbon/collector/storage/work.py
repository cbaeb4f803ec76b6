"""What is stored as one, and how those who wait for it are answered."""

from __future__ import annotations

from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otel_carbon.collector.refusal_reasons import Reason
from otel_carbon.collector.refusals import TryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_carbon.collector.storage.records import StoredBody


class StorageUnavailable(TryLater):
    """The disk is full, broken or does not answer; what was offered was not stored, or nobody knows yet."""

    reason = Reason.STORAGE


def _nothing_to_do(_numbers: Sequence[int]) -> None:
    """For what needs no handling once it is stored."""


def _nothing_to_undo() -> None:
    """For what needs no handling when it is refused."""


@dataclass(slots=True)
class Work:
    """What is stored as one.

    Attributes:
        bodies: requests to add.
        decided: numbers of held requests that `bodies` replace.
        on_stored: called with the numbers of `bodies` once they are on the disk, before anybody is answered.
        on_refused: called once it is certain that they are not and will not be.
        is_patient: whether the answer waits for a disk that hangs: nobody is there to be told to come again.
        stored: the answer: done once it is on the disk, or failed with `StorageUnavailable`. Where the disk takes too
            long it fails before either is certain.
    """

    bodies: Sequence[StoredBody]
    decided: Sequence[int] = ()
    on_stored: Callable[[Sequence[int]], None] = _nothing_to_do
    on_refused: Callable[[], None] = _nothing_to_undo
    is_patient: bool = False
    stored: Future[None] = field(default_factory=Future)

    def answer(self, error: StorageUnavailable | None = None) -> None:
        """Answer whoever waits, unless that was done."""
        with suppress(InvalidStateError):
            if error is None:
                self.stored.set_result(None)
            else:
                self.stored.set_exception(error)

    def refuse(self, error: StorageUnavailable) -> None:
        """It was not stored, and is not to be tried again."""
        self.on_refused()
        self.answer(error)
