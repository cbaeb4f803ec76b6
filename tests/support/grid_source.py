"""A server on loopback that answers as the sources of grid intensities do, and remembers what it was asked."""

from __future__ import annotations

import json
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEY = "em-key-0123456789"
HOUR = timedelta(hours=1)
HALF_HOUR = timedelta(minutes=30)
START = datetime(2026, 11, 25, tzinfo=UTC)


class Asked(NamedTuple):
    """A request that came."""

    path: str
    parameters: dict[str, str]
    key: str | None


class Prepared(NamedTuple):
    """An answer that is to be given; a body of bytes is sent as it is."""

    status: int
    body: object
    headers: dict[str, str]


@dataclass(slots=True)
class GridSourceServer:
    """Gives prepared answers in order, the last one again and again."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    _answers: deque[Prepared] = field(default_factory=deque)

    def answer(self, body: object, status: int = 200, **headers: str) -> None:
        """Prepare the next answer; `_` in the name of a header stands for a hyphen."""
        self._answers.append(Prepared(status, body, {name.replace("_", "-"): text for name, text in headers.items()}))

    def next_answer(self, asked: Asked) -> Prepared:
        """What to answer to a request, which is remembered."""
        self.asked.append(asked)
        return self._answers.popleft() if len(self._answers) > 1 else self._answers[0]


@pytest.fixture
def grid_source() -> Iterator[GridSourceServer]:
    """A running server without answers yet."""
    with running_grid_source() as server:
        yield server


@contextmanager
def running_grid_source() -> Iterator[GridSourceServer]:
    """A server on a free port of loopback."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server = GridSourceServer(f"http://127.0.0.1:{httpd.server_address[1]}")
    _SERVERS[httpd] = server
    thread = Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()
        del _SERVERS[httpd]


_SERVERS: dict[object, GridSourceServer] = {}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = Asked(address.path, dict(parse_qsl(address.query)), self.headers.get("auth-token"))
        prepared = _SERVERS[self.server].next_answer(asked)
        body = prepared.body if isinstance(prepared.body, bytes) else json.dumps(prepared.body).encode()
        self.send_response(prepared.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        for name, text in prepared.headers.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of the base class
        """Keep the output of tests clean."""


def maps_entry(start: datetime, intensity: object, **fields: Any) -> dict[str, Any]:
    """One hour as Electricity Maps documents it."""
    return {
        "zone": "DE",
        "carbonIntensity": intensity,
        "datetime": start.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "updatedAt": "2026-11-26T06:45:44.917Z",
        "createdAt": "2026-11-22T00:52:37.667Z",
        "emissionFactorType": "lifecycle",
        "isEstimated": False,
        "estimationMethod": None,
        **fields,
    }


def maps_history(intensities: Sequence[object], start: datetime = START, zone: str = "DE") -> dict[str, Any]:
    """What `/carbon-intensity/history` answers."""
    return {"zone": zone, "history": _hours(intensities, start, zone), "temporalGranularity": "hourly"}


def maps_past_range(intensities: Sequence[object], start: datetime = START, zone: str = "DE") -> dict[str, Any]:
    """What `/carbon-intensity/past-range` answers."""
    return {"zone": zone, "data": _hours(intensities, start, zone), "temporalGranularity": "hourly"}


def _hours(intensities: Sequence[object], start: datetime, zone: str) -> list[dict[str, Any]]:
    return [maps_entry(start + i * HOUR, intensity, zone=zone) for i, intensity in enumerate(intensities)]


def uk_intensity(actuals: Sequence[object], start: datetime = START) -> dict[str, Any]:
    """What `/intensity/{from}/{to}` of the UK Carbon Intensity API answers."""
    return {
        "data": [
            {
                "from": (start + i * HALF_HOUR).strftime("%Y-%m-%dT%H:%MZ"),
                "to": (start + (i + 1) * HALF_HOUR).strftime("%Y-%m-%dT%H:%MZ"),
                "intensity": {"forecast": 130, "actual": actual, "index": "moderate"},
            }
            for i, actual in enumerate(actuals)
        ]
    }
