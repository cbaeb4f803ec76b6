"""The Dockerfile as its linter sees it, and what it must hold; tests/deploy/test_image.py builds it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.support.compose_services import default_command
from tests.support.deploy_files import DEPLOY, run_tool

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = DEPLOY / "Dockerfile"


def stages() -> dict[str, str]:
    """The text of each stage by its name."""
    parts = re.split(r"^FROM \S+ AS (\S+)$", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_linter_finds_nothing(tmp_path: Path) -> None:
    good = run_tool("hadolint", "--no-color", DOCKERFILE)
    assert (good.returncode, good.stdout) == (0, "")
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN pip install otel-carbon\n", encoding="utf-8")
    assert run_tool("hadolint", tmp_path / "Dockerfile").returncode == 1


def test_images_that_run_have_a_user_without_rights_and_nothing_is_run_as_root_in_them() -> None:
    for name in ("collector", "sample-traffic"):
        assert "\nUSER 10001:10001\n" in stages()[name]
        assert "\nRUN " not in stages()[name]


def test_the_collector_is_what_is_built_when_no_stage_is_named() -> None:
    assert list(stages())[-1] == "collector"
    assert default_command("collector") == ["collector", "--config", "/etc/otel-carbon/collector.yaml"]


def test_every_file_that_is_copied_may_be_seen_by_the_build() -> None:
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    sources = {word.removesuffix("/") for words in copied for word in words.split()}
    assert {f"!{source}" for source in sources} == {line for line in allowed if line.startswith("!")}
