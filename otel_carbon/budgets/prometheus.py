"""Ask a Prometheus for numbers: bounded in time and size, and with one clear message for each way it can fail."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import httpx

from otel_carbon.errors import PrometheusUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 8 * 1024 * 1024
_OK = 200


class Sample(NamedTuple):
    """One series of an answer: its labels, and its value now."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A Prometheus, or what speaks its query API.

    Attributes:
        url: where it is, with a path before `/api/v1` if it has one; user and password in it are shown in no message.
        timeout_s: for each question, from the connection to the last byte.
        token: sent as a bearer token when there is one.
    """

    url: str
    timeout_s: float = DEFAULT_TIMEOUT_S
    token: str = ""

    def query(self, promql: str) -> tuple[Sample, ...]:
        """The answer to an instant query; series without a number are left out.

        Raises:
            PrometheusUnavailable: no answer in time, or none that a Prometheus gives.
        """
        body = self._ask({"query": promql, "timeout": f"{self.timeout_s:g}s"})
        try:
            answer = json.loads(body)
            if answer["status"] != "success":
                raise PrometheusUnavailable(f"{self.shown_url} refused a query: {_bounded(str(answer.get('error')))}")
            return tuple(_samples(answer["data"]["result"]))
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise PrometheusUnavailable(f"{self.shown_url} answered, but not as a Prometheus does") from error

    @property
    def shown_url(self) -> str:
        """The address without what may be secret."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    def _ask(self, form: Mapping[str, str]) -> bytes:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        began = monotonic()
        try:
            with httpx.stream(
                "POST", f"{self.url.rstrip('/')}/api/v1/query", data=form, headers=headers, timeout=self.timeout_s
            ) as answer:
                body = self._read(answer, began)
                if answer.status_code != _OK:
                    raise PrometheusUnavailable(
                        f"{self.shown_url} answered {answer.status_code}: {_bounded(_error_of(body))}"
                    )
                return body
        except httpx.TimeoutException as error:
            raise self._too_slow() from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            # The error's own text may hold more of the address than may be shown.
            raise PrometheusUnavailable(f"{self.shown_url} does not answer ({type(error).__name__})") from error

    def _read(self, answer: httpx.Response, began: float) -> bytes:
        body = bytearray()
        for part in answer.iter_bytes():
            body += part
            if len(body) > MAX_ANSWER_BYTES:
                raise PrometheusUnavailable(f"{self.shown_url} answered with more than {MAX_ANSWER_BYTES} bytes")
            if monotonic() - began > self.timeout_s:  # httpx bounds each read, and not their sum
                raise self._too_slow()
        return bytes(body)

    def _too_slow(self) -> PrometheusUnavailable:
        return PrometheusUnavailable(f"{self.shown_url} gave no answer within {self.timeout_s:g} s")


def _samples(result: list[Any]) -> list[Sample]:
    found = (Sample({str(k): str(v) for k, v in each["metric"].items()}, float(each["value"][1])) for each in result)
    return [sample for sample in found if math.isfinite(sample.value)]


def _error_of(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"


def _bounded(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}..."
