"""Room for one request: in every queue that is to have it, in its hold and on the disk, or nowhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_carbon.collector.byte_queue import Room, SendingQueue


@dataclass(frozen=True, slots=True)
class Reserved:
    """Room that was found.

    Attributes:
        queues: for each pipeline the queues that have room.
        passed_over: queues that get nothing: they are full, their backend fails, and others take the request.
        rooms: everything that has room, a queue once for each of its pipelines.
        size_bytes: how much, in bytes.
    """

    queues: tuple[tuple[SendingQueue, ...], ...]
    passed_over: tuple[SendingQueue, ...]
    rooms: tuple[Room, ...]
    size_bytes: int

    def release(self) -> None:
        """Give all of it back."""
        for room in self.rooms:
            room.release(self.size_bytes)


def reserve(pipelines: Sequence[Sequence[SendingQueue]], rooms: Sequence[Room], size_bytes: int) -> Reserved | Room:
    """Find room for a request.

    A full queue is passed over if its backend fails, it is allowed to, and another one of the same pipeline takes
    the request: a dead backend does not stop the others.

    Args:
        pipelines: the queues of each pipeline.
        rooms: what must have room beside them.
        size_bytes: how much, in bytes.

    Returns:
        The room, or who has none; then nobody keeps any.
    """
    taken: list[Room] = []
    if len(pipelines) == 1 and not rooms and not pipelines[0]:  # nothing is sent: all is counted, and that is all
        return Reserved(((),), (), (), size_bytes)
    times = Counter(queue for queues in pipelines for queue in queues)
    fits: dict[SendingQueue, bool] = {}
    found: list[tuple[SendingQueue, ...]] = []
    full: Room | None = None
    passed_over: list[SendingQueue] = []
    for room in rooms:
        if not room.reserve(size_bytes):
            full = room
            break
        taken.append(room)
    for queues in pipelines if full is None else ():
        for queue in queues:
            if queue not in fits:  # at once for all of its pipelines: an empty one takes a request of any size
                fits[queue] = queue.reserve(size_bytes * times[queue])
                taken += [queue] * times[queue] * fits[queue]
        fitting = [queue for queue in queues if fits[queue]]
        found.append(tuple(fitting))
        left_out = [queue for queue in queues if queue not in fitting]
        passed_over += left_out
        full = next((queue for queue in left_out if not (fitting and queue.isolates and queue.is_failing)), None)
        if full is not None:
            break
    reserved = Reserved(tuple(found), tuple(passed_over), tuple(taken), size_bytes)
    if full is None:
        return reserved
    reserved.release()
    return full
