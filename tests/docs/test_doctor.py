"""The example of `docs/doctor.md` is run as the page says."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.docs.conftest import TIMEOUT_S, reader_environment
from tests.docs.pages import REPOSITORY
from tools.markdown_blocks import blocks_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.docs.conftest import CheckOutput

PAGE = REPOSITORY / "docs/doctor.md"
BEGINS = "calls seen, each once\n"


def test_the_report_that_the_page_shows_is_what_the_command_prints(
    check_output: CheckOutput, reader_folder: Path
) -> None:
    blocks = blocks_of(PAGE.read_text(encoding="utf-8"))
    (application,) = [block.text for block in blocks if block.file == "app.py"]
    (reader_folder / "app.py").write_text(application, encoding="utf-8")
    (position,) = [number for number, block in enumerate(blocks) if block.text.startswith("export ")]
    done = subprocess.run(
        ["/bin/sh", "-c", blocks[position].text],
        cwd=reader_folder,
        env=reader_environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    _, begins, told = done.stderr.partition(BEGINS)
    check_output(PAGE, position + 1, begins + told)
