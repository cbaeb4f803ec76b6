"""One payload of the fuzzer and the way it is sent; the same seed and number give the same shot again."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from tests.chaos.framing import raw_grpc, raw_http
from tests.chaos.mutators import mutated_json, mutated_protobuf
from tests.chaos.seeds import SIGNALS, json_seeds, protobuf_seeds

if TYPE_CHECKING:
    from pathlib import Path

Channel = Literal["http", "grpc", "raw http", "raw grpc"]
PROTOBUF, JSON = "application/x-protobuf", "application/json"
BOMB_BYTES = 80 * (1 << 20)
"""Zeros behind a bomb; the limit is 64 MiB."""
_CONTENT_TYPES = (
    "", "text/plain", "application/octet-stream", "application/grpc", "application/x-protobuf; charset=utf-8",
    "APPLICATION/JSON", "application/json;", ";", "application/x-protobuf, application/json", "multipart/form-data",
    "application/json\t", "*/*", "a" * 4000,
)  # fmt: skip
_ENCODINGS = ("gzip", "GZIP", "gzip, gzip", "deflate", "br", "zstd", "identity", "x-gzip", "", "g" * 2000)
_PATHS = (
    "/", "/v1/traces/", "/v1/traces?x=1", "/v1//traces", "/v1/profiles", "/v1development/profiles", "/V1/TRACES",
    "/v1/%74races", "/v1/traces%00", "/../v1/traces", "/v1/" + "t" * 3000, "/v1/traces#x", "/metrics", "//v1/traces",
)  # fmt: skip
_METHODS = ("GET", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND")


@dataclass(frozen=True, slots=True)
class Shot:
    """One payload and how it is sent.

    Attributes:
        channel: `http` and `grpc` are whole requests, which get an answer of OTLP; the raw ones are bytes on the port.
        signal: traces, metrics or logs.
        payload: the body, or all bytes where the channel is raw.
        content_type: of a body by HTTP.
        content_encoding: of a body by HTTP; None sends no such header.
        method: of HTTP.
        path: of HTTP.
        gzip_by_library: whether the gRPC library compresses it.
    """

    channel: Channel
    signal: str
    payload: bytes
    content_type: str = PROTOBUF
    content_encoding: str | None = None
    method: str = "POST"
    path: str = ""
    gzip_by_library: bool = False

    def http_bytes(self) -> bytes:
        """The whole request as it goes over the wire."""
        lines = [f"{self.method} {self.path or f'/v1/{self.signal}'} HTTP/1.1", "host: collector"]
        if self.content_type:
            lines.append(f"content-type: {self.content_type}")
        if self.content_encoding is not None:
            lines.append(f"content-encoding: {self.content_encoding}")
        lines.append(f"content-length: {len(self.payload)}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.payload


def shot(seed: int, number: int) -> Shot:
    """The shot of this number."""
    source = random.Random(f"{seed}:{number}")
    kind = source.random()
    signal = source.choice(("traces", "traces", *SIGNALS))
    if kind < 0.40:
        return Shot("http", signal, _protobuf(source, signal))
    if kind < 0.60:
        return Shot("http", signal, _json(source, signal), JSON)
    if kind < 0.90:
        return Shot("grpc", signal, _protobuf(source, signal), gzip_by_library=source.random() < 0.1)
    if kind < 0.96:
        return _odd_request(source, signal)
    if kind < 0.98:
        return Shot("raw http", signal, raw_http(source, _protobuf(source, signal)))
    return Shot("raw grpc", signal, raw_grpc(source, signal, _protobuf(source, signal)))


def store(folder: Path, name: str, failed: Shot, why: str) -> None:
    """Keep a shot that broke something: its bytes in `NAME.bin`, how it was sent and what was wrong in `NAME.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {key: value for key, value in asdict(failed).items() if key != "payload"}
    (folder / f"{name}.bin").write_bytes(failed.payload)
    (folder / f"{name}.json").write_text(json.dumps({"why": why, **told}, indent=2) + "\n", encoding="utf-8")


def load(path: Path) -> Shot:
    """Read back what `store` has kept; `path` is that of the `.bin` file."""
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    told.pop("why")
    return Shot(payload=path.read_bytes(), **told)


def _protobuf(source: random.Random, signal: str) -> bytes:
    seeds = protobuf_seeds(signal)
    others = protobuf_seeds(source.choice(SIGNALS))
    return mutated_protobuf(source, source.choice(seeds), others)


def _json(source: random.Random, signal: str) -> bytes:
    seeds = json_seeds(signal)
    return mutated_json(source, source.choice(seeds), json_seeds(source.choice(SIGNALS)))


def _odd_request(source: random.Random, signal: str) -> Shot:
    """Sound HTTP around something that is not quite OTLP."""
    kind = source.randrange(7)
    content_type, seeds = source.choice(((PROTOBUF, protobuf_seeds), (JSON, json_seeds)))
    body = source.choice(seeds(signal))
    if kind == 0:
        return Shot("http", signal, body, source.choice(_CONTENT_TYPES))
    if kind == 1:
        return Shot("http", signal, body, content_type, source.choice(_ENCODINGS))
    if kind == 2:
        return Shot("http", signal, body, content_type, path=source.choice(_PATHS))
    if kind == 3:
        return Shot("http", signal, body, content_type, method=source.choice(_METHODS))
    if kind == 4 and source.random() < 0.02:  # each takes the collector a moment
        return Shot("http", signal, bomb(), content_type, "gzip")
    if kind == 4 and source.random() < 0.02:
        return Shot("grpc", signal, bomb())
    whole = gzip.compress(body, 1)
    damaged = mutated_protobuf(source, whole, protobuf_seeds(signal))
    if kind == 5:
        return Shot("grpc", signal, damaged)
    return Shot("http", signal, source.choice((damaged, whole + whole, whole + b"tail")), content_type, "gzip")


@cache
def bomb() -> bytes:
    """Some 80 kB of gzip that expand beyond the limit."""
    return gzip.compress(bytes(BOMB_BYTES), 9)
