"""Freezes the facts of the bundled registry under its version, in `releases.json` beside them."""

from __future__ import annotations

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
if str(REPOSITORY) not in sys.path:  # started as a file, Python looks beside it only
    sys.path.insert(0, str(REPOSITORY))

DATA = REPOSITORY / "otel_carbon" / "registry" / "data"


def main() -> int:
    """Freeze the version that registry.yaml names; 0 done, 2 refused."""
    from otel_carbon.errors import AuthoringError
    from otel_carbon.registry.authoring.compile import compile_directory
    from otel_carbon.registry.authoring.releases import FILE, freeze
    from otel_carbon.registry.compiled import parse_compiled

    path = DATA / FILE
    try:
        compiled = parse_compiled(compile_directory(DATA, None), str(DATA))
        path.write_bytes(freeze(compiled, path.read_bytes() if path.is_file() else b"{}"))
    except AuthoringError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{path.relative_to(REPOSITORY)}: {compiled.version} is frozen")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
