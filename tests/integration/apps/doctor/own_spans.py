"""An application that writes the spans of calls itself, then ends in the way that it is told to."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from otel_carbon import CarbonSpanProcessor

CHILDREN = 3


def set_up() -> None:
    provider = TracerProvider()
    provider.add_span_processor(CarbonSpanProcessor())
    trace.set_tracer_provider(provider)


def call(model: str = "gpt-4o") -> None:
    with trace.get_tracer("own.spans").start_as_current_span(f"chat {model}") as span:
        span.set_attribute("gen_ai.operation.name", "chat")
        span.set_attribute("gen_ai.provider.name", "openai")
        span.set_attribute("gen_ai.request.model", model)
        span.set_attribute("gen_ai.usage.input_tokens", 800)
        span.set_attribute("gen_ai.usage.output_tokens", 300)


def prefork() -> None:
    """As gunicorn does: children of one set-up process, each of which serves, and ends by itself."""
    pids = []
    for _ in range(CHILDREN):
        pid = os.fork()
        if pid == 0:
            call()
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)


def pool() -> None:
    workers = [multiprocessing.get_context("fork").Process(target=call) for _ in range(CHILDREN)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def serve() -> None:
    """Until told to stop."""
    call()
    while True:
        time.sleep(60)


def serve_politely() -> None:
    """As a server with a handler of its own."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve()


def main(way: str) -> None:
    set_up()
    if way == "crash":
        call()
        raise RuntimeError("canary-of-an-error")
    if way == "kill":
        call()
        os.kill(os.getpid(), signal.SIGKILL)
    if way == "clear":
        os.environ.clear()
        call()
    if way == "replace":
        call()
        os.execve(sys.executable, [sys.executable, "-c", ""], {})
    if way == "many":
        for number in range(5000):
            call(f"model-{number % 700}")
    if way == "echo":
        call()
        sys.stdout.buffer.write(sys.stdin.buffer.read())
    others = {"call": call, "prefork": prefork, "pool": pool, "serve": serve, "serve_politely": serve_politely}
    if way in others:
        others[way]()


if __name__ == "__main__":
    main(sys.argv[1])
