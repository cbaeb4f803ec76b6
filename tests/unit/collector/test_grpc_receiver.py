"""The gRPC receiver beside an intake that answers when it is told to."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, cast

import grpc

from otel_carbon.collector.endpoints import Endpoint
from otel_carbon.collector.receivers.grpc_settings import GrpcSettings
from otel_carbon.collector.receivers.otlp_grpc import PROCESSING, GrpcReceiver
from otel_carbon.collector.signals import Signal
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from otel_carbon.collector.pipeline import Intake

TIMEOUT_S = 20.0
CALLS = PROCESSING + 2


class SlowDisk:
    """Takes every request, and has stored none yet."""

    def __init__(self) -> None:
        self.taken: list[Future[None]] = []

    def admit(self, _transport: str) -> None:
        """It always has memory."""

    def accept(self, _body: bytes, _transport: str) -> Future[None]:
        self.taken.append(Future())
        return self.taken[-1]


def test_calls_that_wait_for_the_disk_keep_no_others_from_being_processed() -> None:
    disk = SlowDisk()
    receiver = GrpcReceiver(GrpcSettings(Endpoint("localhost", 0), "key"), {Signal.TRACES: cast("Intake", disk)})
    receiver.start()
    try:
        with grpc.insecure_channel(str(receiver.endpoint)) as channel:
            export = channel.unary_unary(f"/{Signal.TRACES.grpc_service}/Export")
            calls = [export.future(b"x", timeout=TIMEOUT_S) for _ in range(CALLS)]
            wait_until(lambda: len(disk.taken) == CALLS, timeout_s=TIMEOUT_S / 2, what="request of every call")
            for stored in disk.taken:
                stored.set_result(None)
            assert [call.result() for call in calls] == [b""] * CALLS
    finally:
        receiver.begin_stop(1)
        receiver.finish_stop(1)
