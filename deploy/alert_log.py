"""Stands for a pager in compose.yaml: takes webhooks of Alertmanager and logs a line for each alert."""

from __future__ import annotations

import argparse
import json
import logging
import signal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAX_BODY_BYTES = 1 << 20
TIMEOUT_S = 10

log = logging.getLogger("alerts")


class AlertLog(BaseHTTPRequestHandler):
    """Answers a POST of Alertmanager with 200, and anything else with an error."""

    timeout = TIMEOUT_S

    def do_POST(self) -> None:
        """Log the alerts of one notification."""
        length_bytes = int(self.headers.get("content-length") or 0)
        if length_bytes > MAX_BODY_BYTES:
            self.send_error(413)
            return
        try:
            lines = [_line(alert) for alert in json.loads(self.rfile.read(length_bytes))["alerts"]]
        except (ValueError, KeyError, TypeError, AttributeError):
            self.send_error(400, "no notification of Alertmanager")
            return
        for line in lines:
            log.info(line)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - names of the base class
        """No line for a request: alerts are what is logged."""


def _line(alert: dict[str, dict[str, str]]) -> str:
    """Status, name and summary; control characters, which a label may hold, come out escaped."""
    words = (alert["status"], alert["labels"]["alertname"], alert["annotations"].get("summary", ""))
    return json.dumps(": ".join(map(str, words)), ensure_ascii=False)[1:-1]


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", default="localhost:8080", metavar="HOST:PORT")
    host, _, port = parser.parse_args().listen.rpartition(":")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ThreadingHTTPServer((host, int(port)), AlertLog) as server:
        log.info("waiting for alerts on %s:%d", host, server.server_port)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            log.info("ended")


if __name__ == "__main__":
    main()
