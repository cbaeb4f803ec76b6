"""A missing optional package becomes an install line."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from otel_carbon.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterator

DISTRIBUTIONS = {
    "google": "protobuf",
    "google.api": "googleapis-common-protos",
    "google.rpc": "googleapis-common-protos",
    "grpc": "grpcio",
    "opentelemetry": "opentelemetry-api",
    "opentelemetry.exporter": "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry.proto": "opentelemetry-proto",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "prometheus_client": "prometheus-client",
    "ruamel": "ruamel.yaml",
    "vl_convert": "vl-convert-python",
}
"""Module to the package that brings it, where the two have different names; the longest name that fits speaks."""


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Wrap the imports of a command that needs an extra of this package.

    Raises:
        MissingExtra: a package of the extra is not installed; the message holds the install line.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.partition(".")[0] in ("", "otel_carbon"):
            raise  # a fault of ours, which no installation mends
        msg = (
            f"this command needs the package {distribution_of(missing)}; install it with: "
            f"pip install 'otel-carbon[{extra}]' (or '.[{extra}]' in a clone)"
        )
        raise MissingExtra(msg) from error


def distribution_of(module: str) -> str:
    """What to install for a module: pip knows packages, an import error knows modules."""
    known = [name for name in DISTRIBUTIONS if module == name or module.startswith(f"{name}.")]
    return DISTRIBUTIONS[max(known, key=len)] if known else module.partition(".")[0]
