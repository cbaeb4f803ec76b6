"""Bytes for a bare port: broken HTTP/1.1, broken HTTP/2, broken gRPC messages, and what belongs to other protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h2.config
import h2.connection

if TYPE_CHECKING:
    import random

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
TLS_HELLO = bytes.fromhex("16030100c5010000c10303") + bytes(range(186))
LARGEST_BODY_BYTES = 8192
HTTP_START = b"POST /v1/traces HTTP/1.1\r\nhost: c\r\ncontent-type: application/x-protobuf\r\n"
_SERVICES = {
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "logs": "opentelemetry.proto.collector.logs.v1.LogsService",
}


def raw_http(source: random.Random, body: bytes) -> bytes:
    """Everything that is sent on one connection to the HTTP port, before our side of it is closed."""
    body = body[:LARGEST_BODY_BYTES]
    good = HTTP_START + b"content-length: %d\r\n\r\n" % len(body) + body
    choices = (
        source.randbytes(source.randrange(1, 2000)),
        TLS_HELLO,
        PREFACE + SETTINGS + source.randbytes(100),
        b"\x00" * 5000,
        body,
        b"GET /\r\n\r\n",
        b"POST /v1/traces\r\n",
        b"POST /v1/traces HTTP/9.9\r\n\r\n",
        b"\r\n" * 2000 + good,
        good.replace(b"\r\n", b"\n"),
        HTTP_START + b"content-length: %d\r\n\r\n" % (len(body) + 1 + source.randrange(1000)) + body,
        HTTP_START + b"content-length: %d\r\n\r\n" % source.randrange(len(body) + 1) + body,
        HTTP_START + b"content-length: -1\r\n\r\n" + body,
        HTTP_START + b"content-length: 99999999999999999999999\r\n\r\n" + body,
        HTTP_START + b"content-length: 4000000000\r\n\r\n" + body,
        HTTP_START + b"content-length: 3\r\ncontent-length: 5\r\n\r\n" + body,
        HTTP_START + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        HTTP_START + b"transfer-encoding: chunked\r\n\r\n" + _chunks(source, body),
        HTTP_START + b"transfer-encoding: chunked\r\n\r\n" + b"ffffffffffffffffff\r\n" + body,
        HTTP_START + b"transfer-encoding: chunked\r\n\r\n" + b"zz\r\n" + body,
        HTTP_START + b"transfer-encoding: gzip, chunked, identity\r\n\r\n" + body,
        HTTP_START + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body) + body,
        HTTP_START + b"".join(b"x-%d: y\r\n" % n for n in range(source.choice((10, 500, 20_000)))) + b"\r\n",
        HTTP_START + b"x: " + b"y" * source.choice((100, 60_000, 200_000)) + b"\r\n\r\n",
        HTTP_START + b"bad header\r\n: empty\r\n\x00: nul\r\n\r\n",
        HTTP_START + b"upgrade: h2c\r\nconnection: upgrade\r\nhttp2-settings: AAA\r\n\r\n",
        HTTP_START + b"upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: AAA\r\n\r\n",
        b"HEAD /v1/traces HTTP/1.1\r\nhost: c\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nhost: c\r\n\r\n" + body,
        good * source.choice((2, 20)) + source.randbytes(50),
        good[: source.randrange(len(good))],
        _flipped(source, good),
    )
    return source.choice(choices)


def raw_grpc(source: random.Random, signal: str, body: bytes) -> bytes:
    """Everything that is sent on one connection to the gRPC port."""
    body = body[:LARGEST_BODY_BYTES]
    opened = PREFACE + SETTINGS
    frame = _frame(source.randrange(12), source.randrange(256), source.randrange(4), source.randbytes(20))
    message = b"\x00" + len(body).to_bytes(4, "big") + body
    data = (
        b"\x01" + message[1:],
        b"\xff" + message[1:],
        b"\x00\xff\xff\xff\xff" + body,
        b"\x00\x00\x00\x00\x05" + body[:2],
        message + message,
        message + b"\x00",
        message[: source.randrange(len(message) + 1)],
        b"",
    )
    headers = (
        (), ((":method", "GET"),), (("content-type", "text/plain"),), (("grpc-encoding", "gzip"),),
        (("grpc-encoding", "nonsense"),), (("grpc-timeout", "99999999999H"),), (("grpc-timeout", "1n"),),
        (("x-bin", "not base64!"),), tuple((f"x-{n}", "y" * 50) for n in range(source.choice((5, 300)))),
    )  # fmt: skip
    choices = (
        source.randbytes(source.randrange(1, 2000)),
        TLS_HELLO,
        b"POST /v1/traces HTTP/1.1\r\nhost: c\r\ncontent-length: 0\r\n\r\n",
        opened + source.randbytes(source.randrange(1, 2000)),
        opened + frame * source.choice((1, 50)),
        opened + _frame(6, 0, 0, bytes(8)) * 500,  # pings
        opened + _frame(8, 0, 0, b"\x7f\xff\xff\xff") * 3,  # a window that grows beyond its bound
        opened + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + body,  # a frame of 16 MiB
        opened + _frame(1, 4, 1, source.randbytes(60)),  # headers that HPACK cannot read
        opened + _frame(9, 0, 1, bytes(40)) * 200,  # continuations of nothing
        opened + b"".join(_frame(1, 5, n, b"\x82") + _frame(3, 0, n, bytes(4)) for n in range(1, 400, 2)),  # resets
        _call(signal, source.choice(headers), source.choice(data), ends=source.random() < 0.9),
        _call(signal, source.choice(headers), source.choice(data), ends=source.random() < 0.9),
        _call(signal, source.choice(headers), source.choice(data), ends=source.random() < 0.9),
        _flipped(source, _call(signal, (), message, ends=True)),
    )
    return source.choice(choices)


def _call(signal: str, odd_headers: tuple[tuple[str, str], ...], data: bytes, *, ends: bool) -> bytes:
    """One call of `Export` in sound HTTP/2 frames."""
    settings = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
    connection = h2.connection.H2Connection(settings)
    connection.initiate_connection()
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": f"/{_SERVICES[signal]}/Export",
        ":authority": "c",
        "te": "trailers",
        "content-type": "application/grpc",
        **dict(odd_headers),
    }
    connection.send_headers(1, list(headers.items()), end_stream=not data and ends)
    while data:
        piece, data = data[:16_000], data[16_000:]
        connection.send_data(1, piece, end_stream=ends and not data)
    return bytes(connection.data_to_send())


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def _chunks(source: random.Random, body: bytes) -> bytes:
    """Chunks whose lengths are right but for one."""
    pieces = [body[at : at + 100] for at in range(0, len(body), 100)]
    wrong = source.randrange(len(pieces) + 1)
    sizes = (len(piece) + (source.choice((-1, 1, 4)) if at == wrong else 0) for at, piece in enumerate(pieces))
    return b"".join(b"%x\r\n%b\r\n" % (max(0, size), piece) for size, piece in zip(sizes, pieces, strict=True))


def _flipped(source: random.Random, message: bytes) -> bytes:
    changed = bytearray(message)
    changed[source.randrange(len(changed))] ^= 1 << source.randrange(8)
    return bytes(changed)
