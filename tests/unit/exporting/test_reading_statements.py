"""What the exported statements take over from our own reading has the shape that they rely on."""

from __future__ import annotations

import re
from ipaddress import ip_network
from itertools import chain

import pytest

from otel_carbon.exporting.reading_statements import PRIVATE_NETWORKS, provider_statements, region_statements
from otel_carbon.spans.providers import known_spellings, provider_name
from otel_carbon.spans.region import REGION_IN_HOST, ZONE_OF_REGION


@pytest.mark.parametrize("network", PRIVATE_NETWORKS)
def test_networks_of_ones_own_are_private_to_our_reading_as_well(network: str) -> None:
    found = ip_network(network)
    assert found[0].is_private
    assert found[-1].is_private


def test_each_pattern_of_a_region_has_one_group_for_it() -> None:
    alternatives = ZONE_OF_REGION.pattern.split("|")
    assert [re.compile(each).groups for each in alternatives] == [1, 1]
    assert [each.groups for each in REGION_IN_HOST] == [1, 1]
    statements = "\n".join(region_statements())
    assert statements.count("(?P<region>[a-z0-9-]+)") == len(REGION_IN_HOST)


def test_every_spelling_and_host_pattern_of_a_provider_is_told() -> None:
    spelled = known_spellings()
    statements = "\n".join(provider_statements(["openai"]))
    for name in chain(spelled.exact, (provider for _, provider in spelled.hosts), ["openai"]):
        assert f'"{name}"' in statements
        assert f'"{provider_name(name)}"' in statements
