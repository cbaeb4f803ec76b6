"""A webhook that keeps what Alertmanager tells it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRING, RESOLVED = "firing", "resolved"


@dataclass(slots=True)
class Webhook:
    """A server at `url`; every alert that came, in order, as Alertmanager writes it."""

    url: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def alerts(self, name: str, status: str, **labels: str) -> list[dict[str, Any]]:
        """What was told of an alert with these labels."""
        wanted = {"alertname": name, **labels}
        with self.lock:
            return [each for each in self.told if each["status"] == status and wanted.items() <= each["labels"].items()]

    def wait_for(self, name: str, status: str, *, timeout_s: float, **labels: str) -> dict[str, Any]:
        """The first that was told of it.

        Raises:
            TimeoutError: nothing came in `timeout_s` seconds; the message holds what did.
        """
        try:
            return wait_until(
                lambda: self.alerts(name, status, **labels), timeout_s=timeout_s, what=f"{name} {labels} {status}"
            )[0]
        except TimeoutError as late:
            told = sorted({f"{each['status']} {each['labels']['alertname']}" for each in self.told})
            raise TimeoutError(f"{late}; told: {told}") from None


@contextmanager
def running_webhook() -> Iterator[Webhook]:
    """A webhook on a port of its own."""
    webhook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with webhook.lock:
                webhook.told.extend(json.loads(body)["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    webhook.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield webhook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
