"""Which instrumentation scopes the exported configuration looks at."""

from __future__ import annotations

import re

import pytest

from otel_carbon.exporting.guarded_spans import HANDLED_DIALECTS, OTHER_BASIS_SCOPES, foreign_scopes, older_keys
from otel_carbon.spans.dialect import known_dialects

SCOPES = [
    (scope, dialect.name) for dialect in known_dialects().all for scope in dialect.scopes if not scope.endswith("/")
]


@pytest.mark.parametrize(("scope", "dialect"), SCOPES)
@pytest.mark.parametrize("ending", ["", ".v1", "/sub", "-sub", ":sub", "@1.0"])
def test_scopes_of_other_dialects_are_left_and_those_of_plain_ones_are_not(
    scope: str, dialect: str, ending: str
) -> None:
    name = scope + ending
    told = known_dialects().of_scope(name)
    assert told is not None
    left = re.search(foreign_scopes(), name) is not None
    assert left == (told.name not in HANDLED_DIALECTS)
    assert dialect == told.name or ending


@pytest.mark.parametrize("scope", ["my.app", "", "aiohttp", "traceloopy"])
def test_scopes_that_nobody_knows_are_not_left(scope: str) -> None:
    assert re.search(foreign_scopes(), scope) is None


def test_official_packages_with_another_basis_are_left() -> None:
    for scope in OTHER_BASIS_SCOPES:
        assert re.search(foreign_scopes(), scope)


def test_the_official_packages_do_not_mean_anything_by_older_names() -> None:
    assert "gen_ai.usage.prompt_tokens" in set(older_keys())
    assert "gen_ai.usage.input_tokens" not in set(older_keys())
