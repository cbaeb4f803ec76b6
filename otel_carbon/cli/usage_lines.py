"""Calls as JSON lines: one object a line, with provider, model, token counts, region and date."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import TYPE_CHECKING

from otel_carbon.core.usage import COUNT_NAMES, TokenUsage
from otel_carbon.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

REQUIRED_KEYS = ("provider", "model")
TEXT_KEYS = ("provider", "model", "region", "operation", "date")
KEYS = (*TEXT_KEYS, *COUNT_NAMES)
SAMPLE = "sample_calls.jsonl"
EXAMPLE = '{"provider": "openai", "model": "gpt-4o", "input_tokens": 300, "output_tokens": 300, "date": "2026-11-26"}'


def sample_calls() -> tuple[TokenUsage, ...]:
    """Ten calls that are typical in our judgement."""
    text = (files("otel_carbon.registry") / "data" / SAMPLE).read_text(encoding="utf-8")
    return calls_from_text(text, SAMPLE)


def calls_from_file(path: Path) -> tuple[TokenUsage, ...]:
    """The calls of a file.

    Raises:
        ConfigError: lines are no calls; each mistake names file, line and key.
        OSError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError((f"{path}: is no UTF-8 text ({error.reason}); save it as UTF-8",)) from error
    return calls_from_text(text, str(path))


def calls_from_text(text: str, name: str) -> tuple[TokenUsage, ...]:
    """The calls of JSON lines, blank lines left out; one without a date is of today in UTC."""
    today = datetime.now(UTC).date()
    problems: list[str] = []
    calls = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                calls.append(_call(line, today))
            except ValueError as error:
                problems.append(f"{name}:{number}: {error}")
    if not calls and not problems:
        problems.append(f"{name}:1: holds no call; write one JSON object a line, such as {EXAMPLE}")
    if problems:
        raise ConfigError(tuple(problems))
    return tuple(calls)


def _call(line: str, today: date) -> TokenUsage:
    """The call of a line; a `ValueError` says key and mistake."""
    try:
        record = json.loads(line)
    except ValueError as error:
        msg = f"json: {error}; write one JSON object a line, such as {EXAMPLE}"
        raise ValueError(msg) from error
    if not isinstance(record, dict):
        msg = f"json: is no object; write one such as {EXAMPLE}"
        raise ValueError(msg)  # noqa: TRY004 - a mistake in a file, collected with all others
    for key in record:
        if key not in KEYS:
            msg = f"{key}: is unknown; the keys are {', '.join(KEYS)}"
            raise ValueError(msg)
    for key in TEXT_KEYS:
        if (key in REQUIRED_KEYS or record.get(key) is not None) and not _is_text(record.get(key)):
            msg = f"{key}: must be a text that is not empty"
            raise ValueError(msg)
    at = _day(record.pop("date", None), today)
    try:
        return TokenUsage(**{key: entry for key, entry in record.items() if entry is not None}, at=at)
    except UsageError as error:
        msg = f"tokens: {error}"
        raise ValueError(msg) from error


def _is_text(entry: object) -> bool:
    return isinstance(entry, str) and bool(entry.strip())


def _day(text: str | None, today: date) -> date:
    if text is None:
        return today
    try:
        return date.fromisoformat(text)
    except ValueError:
        msg = f"date: {text!r} is no date; write YEAR-MONTH-DAY, such as 2026-03-31"
        raise ValueError(msg) from None
