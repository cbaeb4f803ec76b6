"""Files in the root of the repository agree with each other and with what is shipped."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement

from otel_carbon.registry.compiled import read_bundled
from otel_carbon.version import VERSION
from tests.docs.pages import README, REPOSITORY
from tools.markdown_blocks import blocks_of, commands_of

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONSTRAINTS = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()


def requirements() -> list[Requirement]:
    """Every requirement of the package and its extras that is not the package itself."""
    lines = [*PROJECT["dependencies"], *(line for extra in EXTRAS_OF_DEV for line in extra)]
    return [each for each in map(Requirement, lines) if each.name != PROJECT["name"]]


EXTRAS_OF_DEV = [
    PROJECT["optional-dependencies"][name] for name in ("auto", "authoring", "collector", "demo", "grid", "otlp", "dev")
]


def test_constraints_are_exact_versions_without_hosts_or_paths() -> None:
    wrong = [line for line in CONSTRAINTS if not re.fullmatch(r"[a-z0-9-]+==(\d+!)?[\w.]+( ; [^/:@]+)?", line)]

    assert wrong == []


def test_constraints_pin_everything_that_is_required_in_an_allowed_version() -> None:
    pinned = {re.sub(r"[-_.]+", "-", each.name).lower(): each.specifier for each in map(Requirement, CONSTRAINTS)}
    for requirement in requirements():
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert name in pinned, f"constraints.txt lacks {name}; CONTRIBUTING.md has the command that makes it"
        (pin,) = pinned[name]
        assert requirement.specifier.contains(pin.version, prereleases=True), f"{requirement} against {pin}"


def test_contributors_are_told_the_readmes_own_line() -> None:
    def lines(name: str) -> list[str]:
        page = (REPOSITORY / name).read_text(encoding="utf-8")
        return [command for block in blocks_of(page) if block.language == "sh" for command in commands_of(block)]

    (line,) = [command for command in lines("README.md") if command.endswith("-m pytest")]
    assert line in lines("CONTRIBUTING.md")


@pytest.mark.parametrize("source_id", sorted(read_bundled().sources))
def test_the_notice_names_every_source_that_asks_for_it(source_id: str) -> None:
    source = read_bundled().sources[source_id]
    notice = (REPOSITORY / "NOTICE").read_text(encoding="utf-8")
    if source["producer"] == PROJECT["name"]:
        return

    assert source["producer"] in notice
    if "CC-BY" in source["licence"] or source["licence"] in ("MIT", "Apache-2.0"):
        assert source["url"] in notice or source["redistributable"] == "facts"


def test_the_changelog_has_the_version_and_the_registry() -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")

    assert f"## [{VERSION}]" in text
    assert f"Registry {read_bundled().version}" in text


def test_ci_runs_the_lines_of_the_readme_and_no_copies_of_them() -> None:
    script = (REPOSITORY / ".ci/run").read_text(encoding="utf-8")
    page = README.read_text(encoding="utf-8")

    patterns = re.findall(r"readme_line '([^']+)'", script)
    assert len(patterns) == 6
    for pattern in patterns:
        assert len(re.findall(pattern, page, re.MULTILINE)) == 1, pattern
    assert "'.[demo]'" not in script
    assert "'.[dev]'" not in script
    assert "'.[auto]'" not in script
