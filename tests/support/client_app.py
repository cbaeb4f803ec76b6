"""Run the instrumented client application as a process of its own, and read what its APIs reported."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tests.support.processes import ManagedProcess, start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Protocol = Literal["http", "grpc"]
CarbonPosition = Literal["none", "before_exporter", "after_exporter"]

_APP_SCRIPT = Path(__file__).parents[1] / "integration" / "apps" / "chat_client.py"
_ANSWER_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class CallTokens:
    """Token counts of calls in neutral terms: input includes what was read from the cache."""

    input: int
    cache_read: int
    output: int

    def __add__(self, other: CallTokens) -> CallTokens:
        return CallTokens(self.input + other.input, self.cache_read + other.cache_read, self.output + other.output)


NO_TOKENS = CallTokens(input=0, cache_read=0, output=0)
"""The sum of no calls at all: a start value, not a statement about any call."""


@dataclass(frozen=True, slots=True)
class ReportedCall:
    """What the API reported to the application about one call.

    Attributes:
        call: name of the call, as in `tests.integration.apps.chat_calls`.
        api: `openai` or `anthropic`.
        response_id: None when the call was refused.
        usage: the API's usage object, None when it sent none.
        http_status: status of a refused call, else None.
    """

    call: str
    api: str
    response_id: str | None
    usage: Mapping[str, Any] | None
    http_status: int | None

    @property
    def tokens(self) -> CallTokens | None:
        """The reported counts in neutral terms; None when the API reported none."""
        if self.usage is None:
            return None
        return _anthropic_tokens(self.usage) if self.api == "anthropic" else _openai_tokens(self.usage)


@dataclass(frozen=True, slots=True)
class ClientApp:
    """A running client application that does one thing at a time, when told to."""

    process: ManagedProcess

    def make_call(self, name: str) -> ReportedCall:
        """Make one call, by its name in `tests.integration.apps.chat_calls`, and say what the API reported.

        Raises:
            RuntimeError: when the application ended with an error.
            TimeoutError: when it did not answer in time.
        """
        return ReportedCall(**self._command(name))

    def export(self) -> None:
        """Hand over every span of the calls made so far to where the application exports to."""
        assert self._command("export") == {"exported": True}

    def metrics_target(self) -> str:
        """`host:port` where Prometheus can scrape the application while it runs."""
        return f"127.0.0.1:{self._answer(0)['metrics_port']}"

    def _command(self, command: str) -> dict[str, Any]:
        self.metrics_target()  # the application answers commands only after this line of its own
        number = len(self._lines())
        self.process.write_line(command)
        return self._answer(number)

    def _answer(self, number: int) -> dict[str, Any]:
        def line() -> str | None:
            return next(iter(self._lines()[number:]), None)

        text = self.process.wait_for(line, timeout_s=_ANSWER_TIMEOUT_S, what="answer of the client application")
        answer: dict[str, Any] = json.loads(text)
        return answer

    def _lines(self) -> list[str]:
        return self.process.stdout().split("\n")[:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAppSettings:
    """How to run the client application; the endpoints are without `/v1` and `/v1/traces`."""

    model_url: str
    otlp_endpoint: str
    otlp_protocol: Protocol = "http"
    carbon: CarbonPosition = "none"
    service_name: str = "chat-client"

    def arguments(self) -> list[str]:
        """The application's command line."""
        return [
            f"--model-url={self.model_url}",
            f"--otlp-endpoint={self.otlp_endpoint}",
            f"--otlp-protocol={self.otlp_protocol}",
            f"--carbon={self.carbon}",
            f"--service-name={self.service_name}",
        ]


@contextmanager
def running_client_app(settings: ClientAppSettings, folder: Path) -> Iterator[ClientApp]:
    """The client application; it stays up, with its metrics, until the block ends.

    Raises:
        AssertionError: when it does not end well, or wrote anything to standard error.
    """
    process = start([sys.executable, _APP_SCRIPT, *settings.arguments()], folder=folder, name=settings.service_name)
    try:
        yield ClientApp(process)
        exit_code = process.finish()
        assert (exit_code, process.stderr()) == (0, ""), process.tail()
    finally:
        process.stop()


def sum_tokens(each: Sequence[CallTokens]) -> CallTokens:
    """Sum over calls, kind by kind."""
    return sum(each, start=NO_TOKENS)


def _openai_tokens(usage: Mapping[str, Any]) -> CallTokens:
    if "prompt_tokens" in usage:
        cached = usage["prompt_tokens_details"]["cached_tokens"]
        return CallTokens(usage["prompt_tokens"], cached, usage["completion_tokens"])
    return CallTokens(usage["input_tokens"], usage["input_tokens_details"]["cached_tokens"], usage["output_tokens"])


def _anthropic_tokens(usage: Mapping[str, Any]) -> CallTokens:
    # On this API the cached part stands outside the input count.
    cached = usage["cache_read_input_tokens"]
    return CallTokens(usage["input_tokens"] + cached, cached, usage["output_tokens"])
