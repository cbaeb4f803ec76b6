"""`python -m tests.bench.collector.sink FACTORS`: a backend that only answers, and decodes when it is asked afterwards.

It prints the port it listens on. `GET /summary` says what has arrived.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.bench.collector.coefficients import TOKENS
from tests.support.otlp_sink import received_spans

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENRICHED_MARK = b"\n\x16otel_carbon.energy_kwh"
"""The key of an attribute on the wire, with its tag and length; its value comes after it, or before it."""
_CHECKED_SPANS = 500
_HEADER_LIMIT_BYTES = 65_536
_SUMMARY_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Summary:
    """What has arrived at the sink.

    Attributes:
        requests: how many requests.
        wire_bytes: their bodies as sent, in bytes.
        spans: spans in them.
        enriched_spans: how many of these carry an energy figure.
        worst_error: of a sample of figures, the largest relative difference from tokens times factors.
    """

    requests: int = 0
    wire_bytes: int = 0
    spans: int = 0
    enriched_spans: int = 0
    worst_error: float = 0.0


def ask_summary(port: int) -> Summary:
    """What the sink on a port of this machine has received."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/summary", timeout=_SUMMARY_TIMEOUT_S) as answer:
        return Summary(**json.load(answer))


class _Sink:
    def __init__(self, factors: list[dict[str, Any]]) -> None:
        self._amounts = {each["model"]: each["amounts"] for each in factors}
        self._bodies: list[tuple[bool, bytes]] = []
        self._spans = self._enriched_spans = self._decoded = 0
        self._worst_error = 0.0

    async def serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                headers = _headers(head)
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                if head.startswith(b"GET"):
                    answer = json.dumps(asdict(self._summary())).encode()
                else:
                    self._bodies.append((headers.get("content-encoding") == "gzip", body))
                    answer = b""
                content = f"content-type: application/x-protobuf\r\ncontent-length: {len(answer)}"
                writer.write(f"HTTP/1.1 200 OK\r\n{content}\r\n\r\n".encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _summary(self) -> Summary:
        for zipped, body in self._bodies[self._decoded :]:
            self._count(gzip.decompress(body) if zipped else body)
        self._decoded = len(self._bodies)
        wire_bytes = sum(len(body) for _, body in self._bodies)
        return Summary(self._decoded, wire_bytes, self._spans, self._enriched_spans, self._worst_error)

    def _count(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        self._enriched_spans += body.count(_ENRICHED_MARK)
        if not self._spans:
            self._check_figures(request)
        self._spans += sum(
            len(scope_spans.spans) for resource in request.resource_spans for scope_spans in resource.scope_spans
        )

    def _check_figures(self, request: ExportTraceServiceRequest) -> None:
        for span, _ in zip(received_spans(request), range(_CHECKED_SPANS), strict=False):
            read: Mapping[str, Any] = span.attributes
            for key, factors in self._amounts.get(read.get("gen_ai.response.model"), {}).items():
                expected = sum(factor * read[tokens] for factor, tokens in zip(factors, TOKENS, strict=True))
                self._worst_error = max(self._worst_error, abs(read.get(key, 0.0) / expected - 1))


def _headers(head: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in lines}


async def _run(factors: list[dict[str, Any]]) -> None:
    server = await asyncio.start_server(_Sink(factors).serve_client, "127.0.0.1", 0, limit=_HEADER_LIMIT_BYTES)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - how the port is told
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
