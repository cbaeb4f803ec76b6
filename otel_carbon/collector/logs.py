"""The collector's own log on standard error: lines for people or objects for programs, without secrets.

A message about a component begins with `%s`, and the first argument is its id or a key path below it.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from otel_carbon.collector.config.secret_values import secrets_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_carbon.collector.config.document import CollectorConfig

CONSOLE_FORMAT = "%(asctime)s %(levelname)s %(message)s"
KIND = "otelcol.component.kind"
ID = "otelcol.component.id"
HIDDEN = "***"
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_SEVERITIES = {number: word for word, number in _LEVELS.items()}
_OURS = "otel_carbon"
# A plain id is that of an exporter or a processor; what a receiver says names its key path.
_SECTIONS = ("exporters", "processors", "extensions", "receivers")


def log_to_stderr(config: CollectorConfig) -> None:
    """Log as the configuration says, unless the program that we run in has set logging up.

    What libraries say is logged from warnings on: some of them tell every request, or its headers.
    """
    root = logging.getLogger()
    if root.handlers:
        return
    logs = config.service.telemetry.logs
    hide = SecretHider(secrets_of(config))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(hide, components_of(config)) if logs.encoding == "json" else ConsoleLines(hide))
    root.addHandler(handler)
    root.setLevel(max(_LEVELS[logs.level], logging.WARNING))
    logging.getLogger(_OURS).setLevel(_LEVELS[logs.level])


@dataclass(frozen=True, slots=True)
class Component:
    """What a message is about."""

    kind: str
    id: str


def components_of(config: CollectorConfig) -> Mapping[str, Component]:
    """The components of a configuration, by what a message calls them: `otlp_http` or `exporters.otlp_http`."""
    found: dict[str, Component] = {}
    for section in _SECTIONS:
        for component_id in getattr(config, section):
            component = Component(section.removesuffix("s"), component_id)
            found.setdefault(component_id, component)
            found[f"{section}.{component_id}"] = component
    return found


class SecretHider:
    """Replaces secrets in a text.

    Args:
        secrets: what must not be shown.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        longest_first = sorted(secrets, key=lambda secret: (-len(secret), secret))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        """The text without them."""
        return self._pattern.sub(HIDDEN, text) if self._pattern else text


class ConsoleLines(logging.Formatter):
    """Lines for people.

    Args:
        hide: takes secrets out.
    """

    def __init__(self, hide: SecretHider) -> None:
        super().__init__(CONSOLE_FORMAT)
        self._hide = hide

    def format(self, record: logging.LogRecord) -> str:
        """Write a message, with its traceback if there is one."""
        return self._hide(super().format(record))


class JsonLines(logging.Formatter):
    """An object a line: `timestamp` in UTC, `severity`, `logger`, `message`, what it is about, and `exception`.

    Args:
        hide: takes secrets out.
        components: by what messages call them.
    """

    def __init__(self, hide: SecretHider, components: Mapping[str, Component]) -> None:
        super().__init__()
        self._hide = hide
        self._components = components

    def format(self, record: logging.LogRecord) -> str:
        """Write a message on one line."""
        fields = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "severity": _SEVERITIES.get(record.levelno, record.levelname.lower()),
            "logger": record.name,
            "message": self._hide(record.getMessage()),
        }
        component = self._component(record)
        if component is not None:
            fields |= {KIND: component.kind, ID: component.id}
        if record.exc_info:
            fields["exception"] = self._hide(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False)

    def _component(self, record: logging.LogRecord) -> Component | None:
        arguments = record.args
        if not (isinstance(arguments, tuple) and arguments and str(record.msg).startswith("%s")):
            return None
        about = str(arguments[0])
        # The id may have dots itself, so the key path is shortened until it is known.
        while about and about not in self._components:
            about = about.rpartition(".")[0]
        return self._components.get(about)
