from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse

from otel_carbon.collector.exporters.partial_success import INTERVAL_S, Rejections
from otel_carbon.collector.exporters.redaction import Redaction
from otel_carbon.collector.signals import Batch, Signal

if TYPE_CHECKING:
    import pytest

LOGGER = "otel_carbon.collector.exporters.partial_success"
BATCH = Batch(Signal.LOGS, b"", 10)
REDACTION = Redaction("", ("Bearer s3cret",))


def answer(rejected: int, message: str = "") -> bytes:
    partial = ExportLogsPartialSuccess(rejected_log_records=rejected, error_message=message)
    return ExportLogsServiceResponse(partial_success=partial).SerializeToString()


class Clock:
    """Stands still until it is moved."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_what_is_rejected_is_told_at_once_and_then_summed_up_each_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    rejections = Rejections("otlp_http", clock)
    for number, rejected in enumerate((2, 3, 4)):
        assert rejections.note(BATCH, answer(rejected, f"reason {number}"), REDACTION) == rejected
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert caplog.messages == [
        "otlp_http: the backend rejected 2 items of 1 batches that it took; they are counted as failed: reason 0"
    ]
    clock.now_s += INTERVAL_S
    rejections.note(BATCH, answer(5), REDACTION)
    summed_up = f"the backend rejected {3 + 4 + 5} items of 3 batches that it took; they are counted as failed"
    assert caplog.messages[1:] == [f"otlp_http: {summed_up}: it does not say why"]


def test_what_was_not_told_yet_is_told_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    rejections = Rejections("otlp_http", Clock())
    rejections.close()
    rejections.note(BATCH, answer(1), REDACTION)
    rejections.note(BATCH, answer(6, "too many"), REDACTION)
    rejections.close()
    assert len(caplog.messages) == 2
    assert "rejected 6 items of 1 batches" in caplog.messages[1]


def test_a_message_is_one_short_line_without_our_secrets(caplog: pytest.LogCaptureFixture) -> None:
    message = "no\r\n2026-01-01 ERROR forged\x1b[31m of s3cret " + "x" * 1000
    assert Rejections("otlp_http", Clock()).note(BATCH, answer(0, message), REDACTION) == 0
    (said,) = caplog.messages
    assert said.isprintable()
    told = said.partition("counted as failed: ")[2]
    assert told.startswith("no  2026-01-01 ERROR forged [31m of [redacted] xxx")
    assert len(told) == 300


def test_a_backend_that_rejects_more_than_there_was_or_less_than_nothing_rejects_all_or_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rejections = Rejections("otlp_http", Clock())
    assert rejections.note(BATCH, answer(-7), REDACTION) == 0
    assert caplog.messages == []
    assert rejections.note(BATCH, answer(2**62), REDACTION) == 10
    assert "rejected 10 items" in caplog.text


def test_a_batch_that_was_taken_whole_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    assert Rejections("otlp_http", Clock()).note(BATCH, b"", REDACTION) == 0
    assert caplog.messages == []
