"""The version of this package, in the one place from which the build takes it too."""

from __future__ import annotations

VERSION = "0.1.0"
