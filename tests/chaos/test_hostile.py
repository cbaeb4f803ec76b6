from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.chaos.floods import flood, upload_endlessly
from tests.chaos.framing import HTTP_START
from tests.chaos.hostile import ATTACKS, beside_good_client, endure

if TYPE_CHECKING:
    from tests.chaos.backend import Backend
    from tests.chaos.hostile import Attack
    from tests.chaos.victim import Victim

SECONDS = 1.0


@pytest.mark.parametrize(
    "attack",
    # Those that are cut off only by the deadline of a body, 30 s, are left to the program.
    [each for each in ATTACKS if not each.opening.startswith(HTTP_START)],
    ids=lambda attack: attack.name,
)
def test_a_good_client_is_served_beside_connections_that_hold_on(
    victim: Victim, backend: Backend, attack: Attack
) -> None:
    told = endure(
        victim, backend, attack, connections=40, seconds=SECONDS, seed=100 + ATTACKS.index(attack), waits=False
    )
    assert told["complaints"] == []
    assert told["good_requests"] > 0


def test_connections_that_send_their_headers_too_slowly_are_ended(victim: Victim, backend: Backend) -> None:
    slow = next(each for each in ATTACKS if each.name == "headers without end")
    assert endure(victim, backend, slow, connections=5, seconds=SECONDS, seed=200)["complaints"] == []


def test_bodies_without_end_are_refused_while_a_good_client_is_served(victim: Victim, backend: Backend) -> None:
    told = beside_good_client(victim, backend, "endless bodies", partial(upload_endlessly, victim.http, 6))
    assert told["complaints"] == []


@pytest.mark.parametrize("port", ["http", "grpc"])
def test_a_flood_of_connections_leaves_a_good_client_served(victim: Victim, backend: Backend, port: str) -> None:
    address = victim.http if port == "http" else victim.grpc
    told = beside_good_client(victim, backend, f"flood of {port}", partial(flood, address, 500))
    assert told["complaints"] == []
