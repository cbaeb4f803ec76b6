"""Web pages of other origins: what plain clients are answered, and what a real Chromium makes of it."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.integration.collector_under_test import JSON, Running, config_text, counter, running_collector
from tests.support.browser import running_browser
from tests.support.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.support.otlp_sink import OtlpSink

APP = "https://app.example.com"
ASK = {"access-control-request-method": "POST"}
SEND = """async ([url, headers, credentials]) => {
  const span = {traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", name: "from a page"};
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: {"content-type": "application/json", ...headers},
      body: JSON.stringify({resourceSpans: [{scopeSpans: [{spans: [span]}]}]}),
      credentials,
    });
    return [answer.status, await answer.text()];
  } catch (error) { return [0, error.name]; }
}"""


@contextmanager
def collector(
    cors: str, *, exporters: str = "debug:", names: str = "debug", more: str = "", extension: str = ""
) -> Iterator[Running]:
    """A collector whose HTTP receiver has a `cors` section, and more settings beside it."""
    http = f'endpoint: "localhost:0", cors: {cors}{more}'
    receiver = f'otlp: {{protocols: {{grpc: {{endpoint: "localhost:0"}}, http: {{{http}}}}}}}'
    exporters += '\n  prometheus: {endpoint: "localhost:0"}'
    text = config_text(exporters, names=names, processors="carbon", receiver=receiver)
    text = text.replace(f"[carbon], exporters: [{names}]", f"[carbon], exporters: [{names}, prometheus]")
    if extension:
        text = text.replace("extensions: [health_check]", f"extensions: [health_check, {extension.partition(':')[0]}]")
        text = text.replace("extensions:\n", f"extensions:\n  {extension}\n", 1)
    with running_collector(text) as running:
        yield running


def ask(running: Running, origin: str, headers: str = "content-type", method: str = "POST") -> httpx.Response:
    """What a browser asks before it sends JSON."""
    asked = {"origin": origin, "access-control-request-method": method, "access-control-request-headers": headers}
    return httpx.options(f"{running.http}/v1/traces", headers={k: v for k, v in asked.items() if v})


def send(running: Running, origin: str, **headers: str) -> httpx.Response:
    return httpx.post(f"{running.http}/v1/traces", content=b"{}", headers={**JSON, "origin": origin, **headers})


def allows(answer: httpx.Response) -> bool:
    return "access-control-allow-origin" in answer.headers


def test_an_allowed_page_is_told_what_it_may_send_and_for_how_long() -> None:
    with collector(f'{{allowed_origins: ["{APP}"], exposed_headers: [Retry-After], max_age: 7200}}') as running:
        asked, sent = ask(running, APP), send(running, APP)
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["vary"] == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    told = {name: value for name, value in asked.headers.items() if name.startswith("access-control-")}
    assert told == {
        "access-control-allow-origin": APP,
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "content-type",
        "access-control-allow-credentials": "true",
        "access-control-max-age": "7200",
    }
    assert sent.status_code == 200
    marks = {name: sent.headers[name] for name in sent.headers if name.startswith("access-control-") or name == "vary"}
    assert marks == {
        "vary": "Origin",
        "access-control-allow-origin": APP,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "Retry-After",
    }


def test_what_is_not_allowed_gets_an_answer_without_permission_and_is_counted() -> None:
    with collector(f'{{allowed_origins: ["{APP}"]}}') as running:
        answers = [
            ask(running, "https://evil.example.com"),
            ask(running, f"{APP}.evil.com"),
            ask(running, APP, "authorization"),
            ask(running, APP, method="DELETE"),
            ask(running, APP, ", ".join(f"x-{index}" for index in range(1000))),
            ask(running, ""),
        ]
        sent = send(running, "https://evil.example.com")
        page = httpx.get(running.page_url("exporters.prometheus") + "/metrics").text
    assert {(each.status_code, allows(each)) for each in answers} == {(204, False)}
    assert all("Origin" in each.headers["vary"] for each in answers)
    assert (sent.status_code, allows(sent), sent.headers["vary"]) == (200, False, "Origin")
    refusals = "otel_carbon_collector_receiver_refusals_total"
    assert counter(page, refusals, transport="http", reason="cross_origin") == len(answers)


@pytest.mark.parametrize(
    ("allowed", "origin", "is_allowed"),
    [
        ("https://*.example.com", "https://a.b.example.com", True),
        ("https://*.example.com", "https://.example.com", True),
        ("https://*.example.com", "https://example.com", False),
        ("https://*.example.com", "https://a.example.com.evil.com", False),
        ("https://*.example.com", "https://aXexample.com", False),
        ("http://localhost:*", "http://localhost:3000", True),
        ("HTTPS://App.Example.com", "https://app.example.com", True),
        ("null", "null", True),
        (APP, "null", False),
    ],
)
def test_one_star_stands_for_any_text_and_nothing_else_does(allowed: str, origin: str, is_allowed: bool) -> None:
    with collector(f'{{allowed_origins: ["http://other", "{allowed}"]}}') as running:
        asked, sent = ask(running, origin), send(running, origin)
    assert (allows(asked), allows(sent)) == (is_allowed, is_allowed)
    if is_allowed:
        assert asked.headers["access-control-allow-origin"] == origin


def test_a_star_alone_allows_every_page() -> None:
    with collector('{allowed_origins: ["*"], allowed_headers: ["*"], max_age: -1}') as running:
        asked, sent = ask(running, APP, "x-anything, authorization"), send(running, APP)
    assert asked.headers["access-control-allow-origin"] == sent.headers["access-control-allow-origin"] == "*"
    assert asked.headers["access-control-allow-headers"] == "authorization, x-anything"
    assert asked.headers["access-control-max-age"] == "0"


@pytest.mark.parametrize(
    ("listed", "asked", "is_allowed"),
    [
        ("[]", "content-type,x-requested-with", True),
        ("[X-Team]", "content-type, X-Team", True),
        ("[X-Team]", "x-requested-with", False),
    ],
)
def test_listed_headers_come_to_those_that_are_always_allowed(listed: str, asked: str, is_allowed: bool) -> None:
    with collector(f'{{allowed_origins: ["{APP}"], allowed_headers: {listed}}}') as running:
        assert allows(ask(running, APP, asked)) is is_allowed


@pytest.mark.parametrize("cors", ["", "{}", "{allowed_headers: [x-team]}"])
def test_without_origins_no_page_is_answered(cors: str) -> None:
    with collector(cors) as running:
        asked, sent = ask(running, APP), send(running, APP)
    assert (asked.status_code, allows(asked)) == (405, False)
    assert (sent.status_code, allows(sent), "vary" in sent.headers) == (200, False, False)


def test_a_question_needs_no_credentials_and_what_is_sent_does() -> None:
    cors = f'{{allowed_origins: ["{APP}"], allowed_headers: [Authorization]}}'
    with collector(
        cors, more=", auth: {authenticator: bearertokenauth}", extension="bearertokenauth: {token: secret}"
    ) as running:
        asked = ask(running, APP, "authorization,content-type")
        stranger, known = send(running, APP), send(running, APP, authorization="Bearer secret")
        no_preflight = httpx.options(f"{running.http}/v1/traces", headers={"origin": APP})
    assert (asked.status_code, allows(asked)) == (204, True)
    # A page of an allowed origin may read why it was refused.
    assert (stranger.status_code, allows(stranger)) == (401, True)
    assert (known.status_code, allows(known)) == (200, True)
    assert no_preflight.status_code == 401


def test_pages_are_answered_by_tls_as_well(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    files = authority.issue("server")
    tls = f', tls: {{cert_file: "{files.cert_file}", key_file: "{files.key_file}"}}'
    with collector(f'{{allowed_origins: ["{APP}"]}}', more=tls) as running:
        url = running.http.replace("http://127.0.0.1", "https://localhost") + "/v1/traces"
        context = ssl.create_default_context(cafile=str(authority.ca_file))
        assert allows(httpx.options(url, headers={**ASK, "origin": APP}, verify=context))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as made:
        yield made


@pytest.fixture(scope="module")
def page_origin() -> Iterator[str]:
    """A server of an empty page, which is an origin of its own."""

    class EmptyPage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it so
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def sent_by(
    browser: Browser, origin: str, running: Running, credentials: str = "omit", **headers: str
) -> tuple[int, str]:
    """What a page of an origin gets that sends a span: status and body, or 0 and the error of `fetch`."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{origin}/")
        status, text = page.evaluate(SEND, [f"{running.http}/v1/traces", headers, credentials])
        return int(status), str(text)


def test_a_page_in_chromium_sends_what_it_is_allowed_to(
    browser: Browser, page_origin: str, otlp_sink: OtlpSink
) -> None:
    exporters = f'otlp_http: {{endpoint: "{otlp_sink.http_endpoint}"}}'
    cors = f'{{allowed_origins: ["{page_origin}"], allowed_headers: [Authorization]}}'
    with collector(
        cors,
        exporters=exporters,
        names="otlp_http",
        more=", auth: {authenticator: bearertokenauth}",
        extension="bearertokenauth: {token: secret}",
    ) as running:
        for credentials in ("omit", "include"):
            known = sent_by(browser, page_origin, running, credentials, authorization="Bearer secret")
            assert known == (200, "{}")
        status, text = sent_by(browser, page_origin, running)
        assert (status, "authentication is needed" in text) == (401, True)
        assert {each.span.name for each in otlp_sink.wait_for_spans(2)} == {"from a page"}
    assert len(otlp_sink.spans()) == 2


@pytest.mark.parametrize(
    ("cors", "credentials", "headers"),
    [
        ("", "omit", {}),
        (f'{{allowed_origins: ["{APP}"]}}', "omit", {}),
        ('{allowed_origins: ["http://*"]}', "omit", {"x-team": "search"}),
        ('{allowed_origins: ["*"]}', "include", {}),
    ],
    ids=["no cors", "another origin", "a header that is not listed", "credentials to a star"],
)
def test_a_page_in_chromium_sends_nothing_that_it_is_not_allowed_to(
    browser: Browser, page_origin: str, otlp_sink: OtlpSink, cors: str, credentials: str, headers: dict[str, str]
) -> None:
    exporters = f'otlp_http: {{endpoint: "{otlp_sink.http_endpoint}"}}'
    with collector(cors, exporters=exporters, names="otlp_http") as running:
        assert sent_by(browser, page_origin, running, credentials, **headers) == (0, "TypeError")
    assert otlp_sink.spans() == []
