from __future__ import annotations

import gc
import socket
from contextlib import ExitStack

import pytest

from otel_carbon.collector.connection_limits import ConnectionLimits, limited
from otel_carbon.collector.refusal_reasons import Reason


def test_connections_are_bounded_in_all_and_of_one_client() -> None:
    refused: list[Reason] = []
    limits = ConnectionLimits(3, 2, refused.append)
    assert [limits.admit(client) for client in ("a", "a", "a", "b", "c")] == [True, True, False, True, False]
    assert refused == [Reason.CLIENT_CONNECTIONS, Reason.CONNECTIONS]
    limits.release("a")
    assert limits.admit("c")


def test_a_listening_socket_closes_what_is_one_too_many_and_counts_out_what_is_closed() -> None:
    with ExitStack() as stack:
        plain = socket.create_server(("127.0.0.1", 0))
        listener = stack.enter_context(limited(plain, ConnectionLimits(1, 1)))
        listener.settimeout(10)
        address = listener.getsockname()
        stack.enter_context(socket.create_connection(address, timeout=10))
        first, _ = listener.accept()
        second = stack.enter_context(socket.create_connection(address, timeout=10))
        with pytest.raises(BlockingIOError):
            listener.accept()
        assert second.recv(1) == b""
        first.close()
        third = stack.enter_context(socket.create_connection(address, timeout=10))
        accepted, peer = listener.accept()
        assert peer == third.getsockname()
        accepted.sendall(b"x")
        assert third.recv(1) == b"x"
        accepted.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_connection_that_is_forgotten_is_counted_out() -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(limited(socket.create_server(("127.0.0.1", 0)), ConnectionLimits(1, 1)))
        listener.settimeout(10)
        stack.enter_context(socket.create_connection(listener.getsockname(), timeout=10))
        connection, _ = listener.accept()
        del connection
        gc.collect()
        assert listener.limits.admit("127.0.0.1")
