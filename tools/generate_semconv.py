"""Generates the names, units and reference tables of everything otel-carbon emits from `semconv/`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

REPOSITORY = Path(__file__).resolve().parents[1]
if str(REPOSITORY) not in sys.path:  # started as a file, Python looks beside it only
    sys.path.insert(0, str(REPOSITORY))

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def generated_files(folder: Path) -> dict[str, str]:
    """Repository path to text of every file that follows from the convention in `folder`.

    Raises:
        ModelError: the convention has mistakes.
    """
    from tools.semconv_markdown import attributes_page, metrics_page
    from tools.semconv_model import load_model
    from tools.semconv_python import attributes_module, metric_names_module
    from tools.semconv_rules import check_model

    model = load_model(folder)
    check_model(model)
    return {
        "otel_carbon/attributes.py": attributes_module(model),
        "otel_carbon/metric_names.py": metric_names_module(model),
        "docs/reference/attributes.md": attributes_page(model),
        "docs/reference/metrics.md": metrics_page(model),
    }


def drifted(files: Mapping[str, str], repository: Path) -> list[str]:
    """Paths whose text in the repository is not the generated one."""
    return [path for path, text in files.items() if not _equals(repository / path, text)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with `--check` only compare; 0 done, 1 drift, 2 mistakes in the convention."""
    from tools.semconv_source import ModelError

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    check = parser.parse_args(arguments).check
    try:
        files = generated_files(REPOSITORY / "semconv")
    except ModelError as error:
        print(error, file=sys.stderr)
        return 2
    stale = drifted(files, REPOSITORY)
    for path in stale:
        print(f"{path}: {'out of date; run python tools/generate_semconv.py' if check else 'written'}")
        if not check:
            (REPOSITORY / path).parent.mkdir(parents=True, exist_ok=True)
            (REPOSITORY / path).write_text(files[path], encoding="utf-8")
    return 1 if check and stale else 0


def _equals(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    raise SystemExit(main())
