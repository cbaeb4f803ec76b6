"""A disk that does not answer: here somebody else has the lock of the database, and every write waits for it."""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from otel_carbon.collector.hold import Hold, HoldSettings
from otel_carbon.collector.pipeline import Intake, Pipeline
from otel_carbon.collector.signals import Signal
from otel_carbon.collector.storage.database import DATABASE_NAME
from otel_carbon.collector.storage.work import StorageUnavailable
from tests.integration.collector_under_test import counter
from tests.support.waiting import wait_until
from tests.unit.collector.storage.test_durable_intake import MEBIBYTE, TIMEOUT_S, Joining, Setup
from tests.unit.collector.test_pipeline import queued, request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

WRITE_TIMEOUT_S = 0.3


@pytest.fixture
def setup(tmp_path: Path) -> Iterator[Setup]:
    made = Setup(tmp_path, write_timeout_s=WRITE_TIMEOUT_S)
    made.storage.start()
    yield made
    made.storage.close(time.monotonic() + TIMEOUT_S)


@contextmanager
def hanging(folder: Path) -> Iterator[None]:
    with closing(sqlite3.connect(folder / DATABASE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def accept(setup: Setup, spans: int) -> Future[None]:
    answer = setup.intake.accept(request(spans), "grpc")
    assert answer is not None
    return answer


def total(setup: Setup, name: str, **labels: str) -> float:
    return counter(setup.metrics.render().decode(), name, **labels)


def test_who_waits_is_told_to_come_again_in_time_and_what_was_given_is_kept(
    setup: Setup, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "otel_carbon.collector.storage")
    with hanging(tmp_path):
        began_s = time.monotonic()
        first = accept(setup, 2)
        with pytest.raises(StorageUnavailable, match="cannot be written to now"):
            first.result(TIMEOUT_S)
        assert WRITE_TIMEOUT_S <= time.monotonic() - began_s < WRITE_TIMEOUT_S + 5
        assert setup.storage.is_failing
        with pytest.raises(StorageUnavailable):  # others are refused at once, and are not even processed
            setup.intake.accept(request(1), "grpc")
        assert setup.state.count == 1
        assert not setup.storage.is_written()
    wait_until(lambda: not setup.storage.is_failing, timeout_s=TIMEOUT_S, what="a disk that answers")
    assert [batch.body for batch in queued(setup.in_memory)] == [request(2) + b"!"]
    assert [batch.body for batch in setup.on_disk.take()] == [request(2) + b"!"]
    assert total(setup, "otelcol_receiver_refused_spans_total") == 2 + 1
    assert total(setup, "otelcol_receiver_accepted_spans_total") == 2
    assert total(setup, "otelcol_receiver_requests_total", outcome="success") == 0
    assert setup.storage.failures == 1
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "file_storage: the disk has not answered for 0.3 s; requests are refused until it does",
        "file_storage: writes again",
    ]


def test_room_is_given_back_exactly_once_however_a_hanging_disk_ends(setup: Setup, tmp_path: Path) -> None:
    with hanging(tmp_path):
        answers = [accept(setup, 1)]
        wait_until(lambda: setup.storage._writing != [], timeout_s=TIMEOUT_S, what="a request that is being written")
        answers += [accept(setup, 2), accept(setup, 3)]  # these wait behind it, and are withdrawn
        for answer in answers:
            with pytest.raises(StorageUnavailable):
                answer.result(TIMEOUT_S)
    wait_until(lambda: not setup.storage.is_failing, timeout_s=TIMEOUT_S, what="a disk that answers")
    batches = setup.in_memory.take()
    assert [batch.body for batch in batches] == [request(1) + b"!"]
    setup.in_memory.settle(batches)
    setup.on_disk.settle(setup.on_disk.take())
    accept(setup, 4).result(TIMEOUT_S)
    for queue in (setup.in_memory, setup.on_disk):
        assert queue.held_bytes == len(request(4) + b"!") + 256
    wait_until(
        lambda: setup.storage.held_bytes == len(request(4) + b"!") + 256, timeout_s=TIMEOUT_S, what="deleted bodies"
    )


def test_what_is_held_waits_for_a_hanging_disk_as_nobody_is_there_to_be_asked(setup: Setup, tmp_path: Path) -> None:
    hold = Hold("carbon", Joining(), HoldSettings(60.0, MEBIBYTE, MEBIBYTE), setup.metrics, storage=setup.storage)
    pipeline = Pipeline("traces", Signal.TRACES, (), (setup.on_disk,), hold)
    answer = Intake("otlp", Signal.TRACES, (pipeline,), setup.metrics, setup.storage).accept(request(1), "grpc")
    assert answer is not None
    answer.result(TIMEOUT_S)
    with hanging(tmp_path):
        hold.start()
        assert hold.drain(time.monotonic() + 4 * WRITE_TIMEOUT_S) == 0
        wait_until(lambda: setup.storage.is_failing, timeout_s=TIMEOUT_S, what="a disk that is known to hang")
    assert [batch.body for batch in setup.on_disk.take()] == [request(1) + b"of 1"]
