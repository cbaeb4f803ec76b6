"""A missing component is never passed over in silence: CI fails, a developer is told what to install."""

from __future__ import annotations

import pytest

from tests.support.components import require_component


def test_a_missing_component_skips_with_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(
        pytest.skip.Exception, match=r"^skipped: needs a unicorn, install with apt-get install unicorn$"
    ):
        require_component("a unicorn", found=False, hint="apt-get install unicorn")


def test_a_missing_component_fails_where_ci_must_have_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match=r"^missing: a unicorn; CI must install it with: apt-get "):
        require_component("a unicorn", found=False, hint="apt-get install unicorn")


def test_a_component_that_is_there_lets_the_test_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    require_component("a horse", found=True, hint="apt-get install horse")
