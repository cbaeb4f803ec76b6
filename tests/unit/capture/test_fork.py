"""What a forked child has of its parent's calls: copies, of which it tells nothing."""

from __future__ import annotations

import os

import pytest

from tests.unit.sdk import programs

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")

FORKING = """
import asyncio, gc, json, os, signal
import httpx
from tests.support.captured_spans import CHAT_URL, QUESTION, SSE, capturing, stream_of

signal.alarm(30)
reading, writing = os.pipe()

class Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __iter__(self):
        yield from stream_of()

def answer(_request):
    return httpx.Response(200, headers=SSE, stream=Stream())

def begin(answer=answer):
    client = httpx.Client(transport=httpx.MockTransport(answer))
    return client.send(client.build_request("POST", CHAT_URL, json=QUESTION), stream=True)

def ended():
    return [each.get("gen_ai.usage.input_tokens") for each in captured.attributes()]

def after_fork(pid, work):
    if pid == 0:
        work()
        gc.collect()
        os.write(writing, json.dumps(ended()).encode())
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0

with capturing() as captured:
    {case}
    os.close(writing)
    with os.fdopen(reading) as told:
        print(json.dumps([json.load(told), ended()]))
"""
DROPPED = """
chunks = begin().iter_raw()
next(chunks)
open_ones = [chunks]
del chunks
after_fork(os.fork(), open_ones.clear)
list(open_ones[0])
"""
CLOSED = """
response = begin()
after_fork(os.fork(), response.close)
response.read()
"""
READ = """
response = begin()
after_fork(os.fork(), response.read)
response.read()
"""
WITHIN_THE_CALL = """
pids = []
def forking(request):
    pids.append(os.fork())
    return httpx.Response(200, headers=SSE, content=b"".join(stream_of()))
response = begin(forking)
after_fork(pids[0], response.read)
response.read()
"""
AWAITED = """
async def slow(request):
    await asyncio.sleep(0)
    return answer(request)
client = httpx.AsyncClient(transport=httpx.MockTransport(slow))
sending = client.send(client.build_request("POST", CHAT_URL, json=QUESTION), stream=True)
sending.send(None)
after_fork(os.fork(), sending.close)
sending.close()
"""
OF_ITS_OWN = """
response = begin()
after_fork(os.fork(), lambda: begin().read())
response.read()
"""


@pytest.mark.parametrize(
    ("case", "in_child", "in_parent"),
    [
        pytest.param(DROPPED, [], [120], id="the child drops the stream"),
        pytest.param(CLOSED, [], [120], id="the child closes it"),
        pytest.param(READ, [], [120], id="the child reads it"),
        pytest.param(WITHIN_THE_CALL, [], [120], id="the call itself forks"),
        pytest.param(AWAITED, [], [None], id="the child gives up a task that waits"),
        pytest.param(OF_ITS_OWN, [120], [120], id="the child calls by itself"),
    ],
)
def test_a_call_of_the_parent_is_told_by_the_parent_alone(
    case: str, in_child: list[int], in_parent: list[int | None]
) -> None:
    program = FORKING.replace("{case}", case.strip().replace("\n", "\n    "))
    assert programs.python(program) == [in_child, in_parent]
