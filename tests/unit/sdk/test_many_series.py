"""More series than the SDK takes for an instrument: several domains report through one meter provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from otel_carbon.sdk.domain import MAX_SERIES
from otel_carbon.sdk.instruments import register_instruments
from tests.unit.metrics.bookings import booking, calls
from tests.unit.sdk.genai_spans import application, call_attributes, points_of_reader

if TYPE_CHECKING:
    import pytest

    from otel_carbon.otlp.traces import TracesEnricher

SDK_LIMIT = 2000
DOMAINS = 4
TOKEN_KINDS = 2
Series = dict[frozenset[tuple[str, Any]], float]


def many_domains() -> tuple[list[TracesEnricher], InMemoryMetricReader]:
    """Domains with all the label sets that they take, and what reads them together."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    books = []
    for domain in range(DOMAINS):
        totals, book = booking(MAX_SERIES)
        register_instruments(totals, provider)
        book_tenants(book, domain)
        books.append(book)
    return books, reader


def book_tenants(book: TracesEnricher, domain: int, *, again: int = 0) -> None:
    first = 1 + (again * DOMAINS + domain) * MAX_SERIES
    for start in range(first, first + MAX_SERIES, 100):
        numbers = range(start, start + 100)
        shift = again * DOMAINS * MAX_SERIES
        book(b"".join(calls([n], more={"otel_carbon.tenant": f"t{n - shift}"}) for n in numbers))


def series(reader: InMemoryMetricReader, metric: str) -> Series:
    return {frozenset(labels.items()): value for value, labels in points_of_reader(reader)[metric]}


def test_of_too_many_series_the_first_stay_and_the_others_are_one_that_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    books, reader = many_domains()
    tokens = series(reader, "otel_carbon.tokens")
    assert DOMAINS * MAX_SERIES * TOKEN_KINDS > SDK_LIMIT > len(tokens)
    assert sum(tokens.values()) == DOMAINS * MAX_SERIES * (800 + 300)
    assert not any("otel.metric.overflow" in dict(labels) for labels in tokens)
    other = {dict(labels)["otel_carbon.token.type"] for labels in tokens if ("otel_carbon.tenant", "other") in labels}
    assert other == {"input_uncached", "output_visible"}
    for domain, book in enumerate(books):
        book_tenants(book, domain, again=1)
    later = series(reader, "otel_carbon.tokens")
    assert later.keys() == tokens.keys()
    assert all(later[labels] == 2 * value for labels, value in tokens.items())
    told = [message for message in caplog.messages if message.startswith("otel_carbon.tokens: more than 1800 series")]
    assert len(told) == 1
    assert "count in the collector" in told[0]


def test_a_process_with_too_many_tenants_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    app = application()
    for number in range(MAX_SERIES):
        app.call(call_attributes(otel_carbon__tenant=f"tenant-{number}"))
    app.points()
    assert caplog.messages == []
    for number in range(2):
        app.call(call_attributes(otel_carbon__tenant=f"one-more-{number}"))
        app.points()
    (told,) = caplog.messages
    assert told.startswith("otel_carbon.dropped_series: more label sets than there is room for in a process; ")
