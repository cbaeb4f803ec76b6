"""Load collector.yaml and report every mistake at once, each with file, line, key and what is allowed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from otel_carbon.collector.config.check import carbon_findings, problems_of, warnings_of
from otel_carbon.collector.config.document import CollectorConfig
from otel_carbon.collector.config.drafting import read_draft
from otel_carbon.collector.config.source.findings import Finding, InvalidConfig
from otel_carbon.collector.config.source.read import MAX_FILE_BYTES, ConfigSource, read_sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_carbon.collector.config.check import CheckCarbon

DEFAULT_CONFIG_NAME = "built-in configuration"
DEFAULT_CONFIG = """\
receivers:
  otlp: {protocols: {grpc: {endpoint: localhost:4317}, http: {endpoint: localhost:4318}}}
processors:
  carbon: {}
exporters:
  prometheus: {endpoint: localhost:9464}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [carbon], exporters: [prometheus]}
"""


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration that can be run, and what about it looks unintended."""

    config: CollectorConfig
    findings: tuple[Finding, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What looks unintended, a line each."""
        return tuple(str(finding) for finding in self.findings)


def load_config(
    path: Path | Sequence[Path],
    environment: Mapping[str, str] = os.environ,
    check_carbon: CheckCarbon | None = None,
    settings: Sequence[str] = (),
) -> LoadedConfig:
    """Load a configuration from files.

    Args:
        path: the file, or several: mappings of a later one are merged into those of an earlier one, anything else in
            it replaces what was there.
        environment: values for `${env:NAME}`.
        check_carbon: checks what the carbon section says against the facts; without it, names are taken as they are.
        settings: `key.path=value` each, put over the files.

    Raises:
        InvalidConfig: it cannot be read or cannot be run; `findings` holds every reason.
    """
    paths = [path] if isinstance(path, Path) else path
    findings: list[Finding] = []
    texts: list[tuple[str, str, Path]] = []
    for each in paths:
        text = _text_of(each)
        if isinstance(text, Finding):
            findings.append(text)
        else:
            texts.append((str(each), text, each.parent))
    if findings:
        raise InvalidConfig(tuple(findings))
    return _checked(read_sources(texts, settings, environment), check_carbon)


def default_config(settings: Sequence[str] = (), environment: Mapping[str, str] = os.environ) -> CollectorConfig:
    """The configuration that runs when no file is given: OTLP on 4317 and 4318, Prometheus on 9464.

    Raises:
        InvalidConfig: the settings that are put over it are wrong.
    """
    texts = [(DEFAULT_CONFIG_NAME, DEFAULT_CONFIG, Path())]
    return _checked(read_sources(texts, settings, environment), None).config


def parse_config(
    text: str, file_name: str, environment: Mapping[str, str], check_carbon: CheckCarbon | None = None
) -> LoadedConfig:
    """Read a configuration from text; see `load_config`.

    Raises:
        InvalidConfig: it cannot be run; `findings` holds every reason.
    """
    return _checked(read_sources([(file_name, text, Path(file_name).parent)], (), environment), check_carbon)


def _text_of(path: Path) -> str | Finding:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            return Finding(str(path), message=f"is larger than {MAX_FILE_BYTES // 1024} KiB")
        return content.decode("utf-8-sig")
    except OSError as error:
        return Finding(str(path), message=f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        return Finding(str(path), message="is not UTF-8 text")


def _checked(source: ConfigSource, check_carbon: CheckCarbon | None) -> LoadedConfig:
    problems = list(source.problems)
    draft = read_draft(source, problems)
    problems += problems_of(draft)
    found = list(carbon_findings(draft, check_carbon)) if check_carbon else []
    problems += (problem for each in found for problem in each.problems)
    doubts = [*warnings_of(draft), *(warning for each in found for warning in each.warnings)]
    unknown = frozenset(problem.path for problem in problems if problem.hides_value)
    warnings = source.findings(doubts, unknown)
    if problems or draft.service is None:
        raise InvalidConfig(source.findings(problems, unknown), warnings)
    return LoadedConfig(CollectorConfig.model_validate({**draft.components, "service": draft.service}), warnings)
