"""The exceptions of otel-carbon: one tree, so that a caller can catch all of them at once."""

from __future__ import annotations


class OtelCarbonError(Exception):
    """Base of every exception that this package raises on purpose."""


class UsageError(OtelCarbonError, ValueError):
    """Token usage that cannot be true; `code` is the stable reason code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class RegistryError(OtelCarbonError):
    """The registry has no answer, or is itself broken."""


class UnknownFact(RegistryError, LookupError):
    """A fact id that the registry does not hold."""


class UnknownRegion(RegistryError, LookupError):
    """A region or zone name that the registry does not know."""


class UnknownMethod(RegistryError, LookupError):
    """An estimation method that does not exist."""


class AuthoringError(RegistryError, ValueError):
    """Registry sources with mistakes; `problems` holds one `file:line: key: message` each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class MalformedBody(OtelCarbonError, ValueError):
    """Bytes that are not the OTLP message they were sent as."""


class BodyTooLarge(OtelCarbonError, ValueError):
    """A message over the size limit, before or after decompression."""


class ConfigError(OtelCarbonError, ValueError):
    """A configuration that cannot be run; `problems` holds one line for each mistake."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class BudgetError(OtelCarbonError, ValueError):
    """Budgets that cannot be used; `problems` holds one `file:line: key: message` for each mistake."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class PrometheusUnavailable(OtelCarbonError):
    """A Prometheus that does not answer, or not with what was asked."""


class GridError(OtelCarbonError, ValueError):
    """A table of grid intensities, or what a source of them answered, that cannot be used."""


class GridSourceUnavailable(GridError):
    """A source of grid intensities that does not answer now and may later."""


class MissingExtra(OtelCarbonError, ImportError):
    """An optional dependency is not installed; the message holds the install line."""
