"""A good client beside an attack: it measures how long its requests take and remembers what was acknowledged."""

from __future__ import annotations

import gzip
import itertools
import random
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import httpx

from tests.chaos.good_calls import STATUS_KEY, good_call
from tests.chaos.seeds import as_json
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.good_calls import Arrivals
    from tests.chaos.victim import Victim

TRACES_METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
TRACES_PATH = "/v1/traces"
PATIENCE_S = 30.0
_PROTOBUF = {"content-type": "application/x-protobuf"}
_GZIPPED = {**_PROTOBUF, "content-encoding": "gzip"}
_RETRYABLE_HTTP = (429, 502, 503, 504)


@dataclass(slots=True)
class Bystander:
    """One client that takes the four ways in turn: protobuf, JSON and gzip over HTTP, and gRPC.

    Attributes:
        acknowledged: trace ids of the calls that were taken in.
        latencies_s: how long each answer took, in seconds.
        wrong: what it was told that it should not have been told.
        asked_to_wait: how many of its requests were refused for now.
    """

    victim: Victim
    seed: int = 0
    acknowledged: set[bytes] = field(default_factory=set)
    latencies_s: list[float] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    asked_to_wait: int = 0
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=PATIENCE_S, trust_env=False))
    _channel: Any = None

    def send(self) -> None:
        """Report one call and note the answer."""
        number = next(self._numbers)
        call = good_call(number, seed=self.seed)
        began_s = time.monotonic()
        outcome = self._by_grpc(call.request) if number % 4 == 3 else self._by_http(call.request, number % 4)
        self.latencies_s.append(time.monotonic() - began_s)
        if outcome == "taken":
            self.acknowledged.add(call.trace_id)
        elif outcome == "wait":
            self.asked_to_wait += 1
        else:
            self.wrong[outcome] += 1

    def percentile_s(self, share: float) -> float:
        """Latency in seconds that this share of its requests did not exceed."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def complaints(self, arrivals: Arrivals, *, timeout_s: float = PATIENCE_S) -> list[str]:
        """What is wrong after the attack: answers, calls that did not arrive, calls that arrived without a verdict."""
        found = [f"a good request got {outcome} ({times} times)" for outcome, times in self.wrong.items()]
        wanted = set(self.acknowledged)
        try:
            wait_until(lambda: not arrivals.missing(wanted), timeout_s=timeout_s, what="all acknowledged calls")
        except TimeoutError:
            found.append(f"{len(arrivals.missing(wanted))} of {len(wanted)} acknowledged calls did not arrive")
        found += [
            f"{times} good calls arrived with {STATUS_KEY} {status!r}"
            for status, times in arrivals.verdicts(wanted).items()
            if status not in {"estimated", "nothing"}
        ]
        return found

    def close(self) -> None:
        """Give back its connections."""
        self._client.close()
        if self._channel is not None:
            self._channel.close()

    def _by_http(self, request: bytes, way: int) -> str:
        headers, body = _PROTOBUF, request
        if way == 1:
            headers, body = {"content-type": "application/json"}, as_json("traces", request)
        elif way == 2:
            headers, body = _GZIPPED, gzip.compress(request, 1)
        try:
            answer = self._client.post(f"http://{self.victim.http}{TRACES_PATH}", content=body, headers=headers)
        except httpx.HTTPError as error:
            return f"{type(error).__name__} by HTTP"
        if answer.status_code in _RETRYABLE_HTTP:
            return "wait"
        return "taken" if answer.status_code == httpx.codes.OK else f"HTTP {answer.status_code}"

    def _by_grpc(self, request: bytes) -> str:
        if self._channel is None:
            self._channel = grpc.insecure_channel(str(self.victim.grpc))
        try:
            self._channel.unary_unary(TRACES_METHOD)(request, timeout=PATIENCE_S)
        except grpc.RpcError as error:
            return "wait" if error.code() is grpc.StatusCode.UNAVAILABLE else f"gRPC {error.code().name}"
        return "taken"


@contextmanager
def busy_bystander(victim: Victim, *, pause_s: float = 0.05, seed: int = 0) -> Iterator[Bystander]:
    """A bystander that sends all the time, on a thread of its own."""
    bystander = Bystander(victim, seed)
    over = threading.Event()
    source = random.Random(seed)

    def run() -> None:
        while not over.wait(source.uniform(0, 2 * pause_s)):
            bystander.send()

    thread = threading.Thread(target=run, name="bystander")
    thread.start()
    try:
        yield bystander
    finally:
        over.set()
        thread.join()
        bystander.close()
