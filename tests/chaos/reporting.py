"""How the programs of this package tell what they do and what came out."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MEBIBYTE = 1 << 20


def parser(about: str) -> argparse.ArgumentParser:
    """Options that all of them take."""
    options = argparse.ArgumentParser(description=about)
    options.add_argument("--seed", type=int, default=1, help="of everything that is drawn (default: 1)")
    options.add_argument("--json", action="store_true", help="write the result as JSON")
    return options


def progress(text: str) -> None:
    """Tell on stderr what goes on."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def report(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Write the result to stdout, a line for each entry."""
    if as_json:
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
        return
    for name, value in result.items():
        lines = value if isinstance(value, list) else [value]
        sys.stdout.write("".join(f"{name}: {each}\n" for each in lines))


def mebibytes(size_bytes: float) -> float:
    """Bytes as MiB, to a tenth."""
    return round(size_bytes / MEBIBYTE, 1)
