"""`python -m otel_carbon.cli`, for where the script is not on the path."""

from __future__ import annotations

import sys

from otel_carbon.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
