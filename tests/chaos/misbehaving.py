"""Backends that do not do what a backend should: the cases, and what must become of telemetry for each."""

from __future__ import annotations

import gzip
import random
import socket
import threading
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.chaos.backend import Answer
from tests.support.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Fate = Literal["arrives", "is refused", "is partly refused", "is counted"]
BOMB_BYTES = 256 << 20
_HUGE_BYTES = 32 << 20
_TIMEOUT = "1s"
_RETRY: dict[str, object] = {"initial_interval": "100ms", "max_interval": "300ms"}


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of misbehaviour.

    Attributes:
        name: in words, fit for the id of an exporter.
        fate: what must become of every acknowledged span: it `arrives`, at the latest when the backend has mended its
            ways; it `is refused` and so counted as failed, all or `partly`; or it `is counted` either way.
        answers: what it says to the request of a number; None for one that does not speak HTTP.
        is_cut_short: whether one attempt must end soon after its timeout; httpx bounds the time for each piece of the
            headers of an answer, not for all of them.
        speech: what one that does not speak HTTP says on each connection, piece by piece, a fifth of a second apart;
            None with no `answers` either is one that is not there.
        gives_up: whether the exporter drops a batch after two seconds of attempts, or never.
        exporter: type of the exporter.
    """

    name: str
    fate: Fate
    answers: Callable[[int], Answer] | None = None
    speech: Callable[[], Iterator[bytes]] | None = None
    gives_up: bool = False
    is_cut_short: bool = True
    exporter: str = "otlp_http"

    @property
    def exporter_id(self) -> str:
        """Component id of the exporter that sends to it."""
        return f"{self.exporter}/{self.name}"

    def settings(self, port: int) -> dict[str, object]:
        """Settings of that exporter."""
        retry = {**_RETRY, "max_elapsed_time": "2s" if self.gives_up else 0}
        return {"endpoint": f"http://127.0.0.1:{port}", "timeout": _TIMEOUT, "retry_on_failure": retry}


def _always(answer: Answer) -> Callable[[int], Answer]:
    return lambda _number: answer


def _in_turn(*answers: Answer) -> Callable[[int], Answer]:
    return lambda number: answers[number % len(answers)]


def _refusal(status: int, **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, keeps=False)


def _partial_success(rejected_spans: int) -> Answer:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = rejected_spans
    answer.partial_success.error_message = "no"
    return Answer(body=answer.SerializeToString())


@cache
def _layered_bomb() -> bytes:
    """Zeros compressed twice, so that some kilobytes on the wire expand to `BOMB_BYTES`."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    once = b"".join(packer.compress(bytes(1 << 20)) for _ in range(BOMB_BYTES >> 20)) + packer.flush()
    return gzip.compress(once, 9)


def _garbage() -> Iterator[bytes]:
    yield random.Random(1).randbytes(3000)


def _endless_headers() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    for _ in range(10_000):
        yield b"x-more: of this\r\n"


def _dripping_body() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 1000000\r\n\r\n"
    for _ in range(10_000):
        yield b"x"


def _half_an_answer() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf"


def _silence() -> Iterator[bytes]:
    for _ in range(10_000):
        yield b""


CASES = (
    Case("gone", "arrives"),
    Case("slow", "arrives", _always(Answer(delay_s=0.4))),
    Case("slower-than-timeout", "is counted", _always(Answer(delay_s=3.0)), gives_up=True),
    Case("flapping", "arrives", _in_turn(_refusal(503), Answer(), Answer(hangs_up=True, keeps=False), _refusal(429))),
    Case("always-503", "arrives", _always(_refusal(503))),
    Case("refuses-all", "is refused", _always(_refusal(400))),
    Case("garbage-in-200", "arrives", _always(Answer(body=b"\xff\xfe not protobuf"))),
    Case("html-in-502", "arrives", _always(Answer(502, {"content-type": "text/html"}, b"<html>", keeps=False))),
    Case("partial-success", "is partly refused", _in_turn(_partial_success(1), Answer())),
    Case("absurd-partial-success", "is refused", _always(_partial_success(2**62))),
    Case("negative-partial-success", "arrives", _always(_partial_success(-5))),
    Case("retry-after-a-year", "is refused", _always(_refusal(503, retry_after="31536000")), gives_up=True),
    Case("retry-after-nonsense", "arrives",
         _in_turn(*(_refusal(503, retry_after=text) for text in ("soon", "-5", "1e400", "nan", ""))),),
    Case("redirects", "is refused", _always(_refusal(302, location="http://127.0.0.1:9/v1/traces"))),
    Case("redirects-in-a-circle", "is refused", _always(_refusal(307, location="/v1/traces"))),
    Case("unheard-of-status", "is refused", _always(_refusal(799))),
    # Refusing an answer that is too long, or reading its begin only, are both sound.
    Case("huge-answer", "is counted", _always(Answer(body=bytes(_HUGE_BYTES)))),
    Case("huge-refusal", "is refused", _always(Answer(400, body=bytes(_HUGE_BYTES), keeps=False))),
    Case("bomb-for-an-answer", "arrives",
         lambda _number: Answer(headers={"content-encoding": "gzip, gzip"}, body=_layered_bomb())),
    Case("says-garbage", "arrives", speech=_garbage),
    Case("headers-without-end", "arrives", speech=_endless_headers, is_cut_short=False),
    Case("dripping-body", "arrives", speech=_dripping_body),
    Case("half-an-answer", "arrives", speech=_half_an_answer),
    Case("silent", "arrives", speech=_silence),
    Case("gone", "arrives", exporter="otlp_grpc"),
    Case("silent", "arrives", speech=_silence, exporter="otlp_grpc"),
    Case("says-garbage", "arrives", speech=_garbage, exporter="otlp_grpc"),
)  # fmt: skip


@dataclass(slots=True)
class Stranger:
    """What stands in place of a backend: its port, and how many connections were made to it."""

    port: int
    connections: int = 0


@contextmanager
def stranger(speech: Callable[[], Iterator[bytes]] | None) -> Iterator[Stranger]:
    """A port of this machine where nobody listens, or somebody who says something else."""
    if speech is None:
        yield Stranger(free_ports(1)[0])
        return
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        met = Stranger(server.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(server, met, speech, over), daemon=True)
        thread.start()
        try:
            yield met
        finally:
            over.set()
            thread.join()


def _serve(server: socket.socket, met: Stranger, speech: Callable[[], Iterator[bytes]], over: threading.Event) -> None:
    while not over.is_set():
        with suppress(TimeoutError):
            connection, _ = server.accept()
            met.connections += 1
            threading.Thread(target=_speak, args=(connection, speech(), over), daemon=True).start()


def _speak(connection: socket.socket, pieces: Iterator[bytes], over: threading.Event) -> None:
    with connection, suppress(OSError):
        connection.settimeout(5.0)
        connection.recv(1 << 16)
        for piece in pieces:
            connection.sendall(piece)
            if over.wait(0.2):
                break
