"""What the durable queue writes at once: all of it is on the disk afterwards, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otel_carbon.collector.storage.database import BALLAST_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_carbon.collector.storage.database import Database
    from otel_carbon.collector.storage.pending_changes import PendingChanges
    from otel_carbon.collector.storage.state_log import LogPlan
    from otel_carbon.collector.storage.work import Work


class Group(NamedTuple):
    """What is written together.

    Attributes:
        works: what is stored.
        settled: by exporter the numbers of what it has sent or given up, which is deleted.
        changes: those of the state that led to the works.
        planned: what they make of the log.
        probe_bytes: how much must fit beside, in bytes.
    """

    works: Sequence[Work]
    settled: Mapping[str, Sequence[int]]
    changes: PendingChanges
    planned: LogPlan
    probe_bytes: int


class Written(NamedTuple):
    """What has changed.

    Attributes:
        numbers: for each work those that its bodies were given.
        last_body: the highest number of any body.
        grown_bytes: by how much the bodies on the disk have grown, in bytes; negative where they have shrunk.
    """

    numbers: list[list[int]]
    last_body: int
    grown_bytes: int


def write(database: Database, group: Group, last_body: int) -> Written:
    """Write a group; numbers of bodies go on from `last_body`.

    Raises:
        sqlite3.Error: nothing was written.
    """
    numbers: list[list[int]] = []
    with database.transaction():
        grown_bytes = -_settle(database, group.settled)
        if group.probe_bytes:
            database.try_room(group.probe_bytes)
        for work in group.works:
            grown_bytes -= database.drop_held(work.decided)
            of_work = []
            for body in work.bodies:
                last_body += 1
                grown_bytes += database.add_body(last_body, body)
                of_work.append(last_body)
            numbers.append(of_work)
        for added, entry in zip(group.planned.added, group.changes.logs, strict=True):
            database.add_log(added.number, added.at_s, entry)
        _drop_log(database, group.planned)
        database.put_rows(group.changes.rows)
    return Written(numbers, last_body, grown_bytes)


def make_way(database: Database, settled: Mapping[str, Sequence[int]], planned: LogPlan) -> int:
    """Delete what is of no more use although the disk is full; returns how many bytes of bodies that were.

    Where there is nothing of that kind the ballast stays: it would be written anew every second.

    Raises:
        sqlite3.Error, OSError: the disk still takes nothing.
    """
    if settled or planned.dropped:
        database.drop_ballast()
    database.fold()
    with database.transaction():
        freed_bytes = _settle(database, settled)
        _drop_log(database, planned)
    return freed_bytes


def give_back(database: Database, probe_bytes: int) -> None:
    """Take the space that making way has used again.

    Raises:
        sqlite3.Error, OSError: the disk still takes nothing.
    """
    database.fold()
    # What is written goes through the log beside the file first, so free space inside the file is not enough.
    database.shrink(BALLAST_BYTES + 2 * probe_bytes)
    database.make_ballast()


def _settle(database: Database, settled: Mapping[str, Sequence[int]]) -> int:
    return sum(database.settle(exporter, numbers) for exporter, numbers in settled.items())


def _drop_log(database: Database, planned: LogPlan) -> None:
    if planned.dropped:
        database.drop_log_before(planned.first_kept)
