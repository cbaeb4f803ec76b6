"""Steady, well-formed load whose truth is known: calls, what others tell of them again, re-deliveries, other spans."""

from __future__ import annotations

import gzip
import itertools
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import httpx

from tests.bench.load import traces_request
from tests.chaos.bystander import PATIENCE_S, TRACES_METHOD, TRACES_PATH
from tests.chaos.good_calls import good_call, twin_of
from tests.chaos.seeds import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.good_calls import Call
    from tests.chaos.victim import Victim

CALLS = 16
TWINS = 4
OTHER_SPANS = 40
AGAIN_EVERY = 5
"""Once in so many requests the one before is sent again, as by a client that has not seen its answer."""
_TWINS_FROM = 1 << 30
_WAIT_S = 0.2


@dataclass(slots=True)
class Truth:
    """What was acknowledged, and so must be in the counters: each call once.

    `tokens` holds sums of input and output tokens, `latencies_s` the time of each answer in seconds.
    """

    calls: set[bytes] = field(default_factory=set)
    twins: set[bytes] = field(default_factory=set)
    tokens: Counter[str] = field(default_factory=Counter)
    spans: int = 0
    requests: int = 0
    asked_to_wait: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class _Request:
    body: bytes
    calls: tuple[Call, ...]
    twins: tuple[Call, ...]

    @property
    def spans(self) -> int:
        return len(self.calls) + len(self.twins) + OTHER_SPANS


class Client:
    """One client with connections of its own, which sends requests at a steady pace until it is told to stop.

    A request that is refused for now is sent again until it is taken, as OTLP wants it.
    """

    def __init__(self, victim: Victim, truth: Truth, *, seed: int, requests_per_s: float) -> None:
        self._victim = victim
        self._truth = truth
        self._seed = seed
        self._pace_s = 1 / requests_per_s
        self._http = httpx.Client(timeout=PATIENCE_S, trust_env=False)
        self._channel: Any = grpc.insecure_channel(str(victim.grpc), options=[("grpc.use_local_subchannel_pool", 1)])
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"client {seed}")

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more, and wait for the answer to the last request."""
        self._over.set()
        self._thread.join()
        self._http.close()
        self._channel.close()

    def _run(self) -> None:
        due_s = time.monotonic()
        before: _Request | None = None
        for number in itertools.count():
            request = before if before and number % AGAIN_EVERY == 0 else self._request(number, before)
            self._deliver(number, request, again=request is before)
            before = request
            due_s = max(due_s + self._pace_s, time.monotonic() - 1.0)
            if self._over.wait(max(0.0, due_s - time.monotonic())):
                return

    def _request(self, number: int, before: _Request | None) -> _Request:
        first = number * CALLS
        calls = tuple(good_call(first + n, seed=self._seed) for n in range(CALLS))
        others = before.calls[:TWINS] if before else ()
        twins = tuple(twin_of(call, _TWINS_FROM + first + n, seed=self._seed) for n, call in enumerate(others))
        web = traces_request(OTHER_SPANS, 0.0, seed=self._seed << 32 | number)
        # Requests put end to end are one request.
        return _Request(b"".join(call.request for call in (*calls, *twins)) + web, calls, twins)

    def _deliver(self, number: int, request: _Request, *, again: bool) -> None:
        while (outcome := self._send(number, request.body)) == "wait":
            self._truth.asked_to_wait += 1
            if self._over.wait(_WAIT_S):
                return
        with self._truth.lock:
            self._truth.requests += 1
            if outcome != "taken":
                self._truth.wrong[outcome] += 1
                return
            self._truth.spans += request.spans
            if again:
                return
            self._truth.calls |= {call.trace_id for call in request.calls}
            self._truth.twins |= {call.trace_id for call in request.twins}
            for call in request.calls:
                for kind in ("input", "output"):
                    self._truth.tokens[kind] += int(str(call.attributes[f"gen_ai.usage.{kind}_tokens"]))

    def _send(self, number: int, body: bytes) -> str:
        began_s = time.monotonic()
        outcome = self._by_grpc(body) if number % 3 == 0 else self._by_http(number, body)
        self._truth.latencies_s.append(time.monotonic() - began_s)
        return outcome

    def _by_http(self, number: int, body: bytes) -> str:
        headers = {"content-type": "application/x-protobuf"}
        if number % 10 == 1:
            headers, body = {"content-type": "application/json"}, as_json("traces", body)
        elif number % 2:
            headers, body = {**headers, "content-encoding": "gzip"}, gzip.compress(body, 1)
        answer = self._http.post(f"http://{self._victim.http}{TRACES_PATH}", content=body, headers=headers)
        if answer.status_code in (429, 503):
            return "wait"
        return "taken" if answer.status_code == httpx.codes.OK else f"HTTP {answer.status_code}"

    def _by_grpc(self, body: bytes) -> str:
        try:
            self._channel.unary_unary(TRACES_METHOD)(body, timeout=PATIENCE_S)
        except grpc.RpcError as error:
            return "wait" if error.code() is grpc.StatusCode.UNAVAILABLE else f"gRPC {error.code().name}"
        return "taken"


def clients(victim: Victim, truth: Truth, *, seed: int, spans_per_s: float, count: int = 3) -> Iterator[Client]:
    """Clients that send so many spans a second together."""
    requests_per_s = spans_per_s / (CALLS + TWINS + OTHER_SPANS) / count
    for number in range(count):
        yield Client(victim, truth, seed=seed + number, requests_per_s=requests_per_s)
