"""An application that writes the spans of calls itself, then ends in the way that it is told to."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import shutil
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from otel_carbon import CarbonSpanProcessor

if TYPE_CHECKING:
    from collections.abc import Callable

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


def spawn() -> None:
    """Children that start from nothing but the environment."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_set_up_and_call) for _ in range(CHILDREN)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _set_up_and_call() -> None:
    set_up()
    call()


def workers_pool() -> None:
    """A pool of processes that is ended by SIGTERM when its work is done."""
    with multiprocessing.get_context("fork").Pool(CHILDREN) as workers:
        workers.map(_call_numbered, range(6), chunksize=1)


def _call_numbered(_number: int) -> None:
    call()


def outlive() -> None:
    """A child that becomes a daemon, and makes a call when the command has long ended."""
    if os.fork() == 0:
        os.setsid()
        for stream in range(3):  # which whoever started us may wait for
            os.close(stream)
        pathlib.Path(os.environ["PID_FILE"]).write_text(str(os.getpid()), encoding="utf-8")
        signal.pause()


def killed_later() -> None:
    """One that is killed long after a burst of calls, with no other behind it."""
    for _ in range(20):
        call()
    worker = multiprocessing.get_context("fork").Process(target=_call_and_be_killed)
    worker.start()
    worker.join()
    os.kill(os.getpid(), signal.SIGKILL)


def _call_and_be_killed() -> None:
    for _ in range(5):
        call()
    os.kill(os.getpid(), signal.SIGKILL)


def killed_child() -> None:
    """A worker that ends without handlers, as servers end theirs, beside a parent that makes no call."""
    worker = multiprocessing.get_context("fork").Process(target=_call_and_be_killed)
    worker.start()
    worker.join()


def threads() -> None:
    """Many at once."""
    workers = [threading.Thread(target=_call_often) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _call_often() -> None:
    for _ in range(250):
        call()


def vanish() -> None:
    """Take away the folder that reports go to."""
    shutil.rmtree(os.environ["OTEL_CARBON_DOCTOR_REPORTS"])
    call()


def serve() -> None:
    """Until told to stop."""
    call()
    while True:
        time.sleep(60)


def serve_politely() -> None:
    """As a server with a handler of its own."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve()


WAYS: dict[str, Callable[[], None]] = {
    "call": call,
    "killed_child": killed_child,
    "killed_later": killed_later,
    "outlive": outlive,
    "pool": pool,
    "prefork": prefork,
    "serve": serve,
    "serve_politely": serve_politely,
    "spawn": spawn,
    "threads": threads,
    "vanish": vanish,
    "workers_pool": workers_pool,
}


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
    if way in WAYS:
        WAYS[way]()


if __name__ == "__main__":
    main(sys.argv[1])
