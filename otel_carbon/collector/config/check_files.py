"""Check the files that exporters are to write, the directory of the storage, and the files that TLS is made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from otel_carbon.collector.config.client_tls import FILE_KEYS, TlsClientConfig
from otel_carbon.collector.config.exporters import FileExporterConfig, PrometheusExporterConfig
from otel_carbon.collector.config.extensions import FileStorageConfig
from otel_carbon.collector.config.text import Problem, dotted
from otel_carbon.errors import BudgetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel

    from otel_carbon.collector.config.document import ServiceConfig
    from otel_carbon.collector.config.text import KeyPath


def file_problems(
    exporters: Mapping[str, BaseModel], extensions: Mapping[str, BaseModel], service: ServiceConfig | None
) -> Iterator[Problem]:
    """Find files that cannot be written, or not be read.

    Args:
        exporters: those that are valid in themselves, by component id.
        extensions: the same of extensions.
        service: what they are used for; None when that is not known.
    """
    for name, extension in extensions.items():
        if isinstance(extension, FileStorageConfig):
            yield from _unusable(("extensions", name, "directory"), Path(extension.directory).resolve())
    taken: dict[Path, KeyPath] = {}
    for name, exporter in exporters.items():
        yield from _read_problems(name, exporter)
        if not isinstance(exporter, FileExporterConfig):
            continue
        key: KeyPath = ("exporters", name, "path")
        path = Path(exporter.path).resolve()
        if path in taken:
            yield Problem(key, f"{exporter.path!r} is written by {dotted(taken[path])}; choose another file")
        taken[path] = key
        if not path.parent.is_dir():
            yield Problem(key, f"there is no folder {str(path.parent)!r}")
        elif path.exists() and not path.is_file():
            yield Problem(key, f"{exporter.path!r} is no regular file")
        if exporter.format == "proto" and service is not None:
            yield from _mixed_signals(name, service)


def _read_problems(name: str, exporter: BaseModel) -> Iterator[Problem]:
    """Files that an exporter reads."""
    tls = getattr(exporter, "tls", None)
    if isinstance(tls, TlsClientConfig):
        yield from _missing(("exporters", name, "tls"), tls)
    if isinstance(exporter, PrometheusExporterConfig):
        yield from _wrong_budgets(("exporters", name, "page", "budgets"), exporter.page.budgets)


def _unusable(key: KeyPath, directory: Path) -> Iterator[Problem]:
    """What is not there yet is made; whether it may be is known at the start, by the user who then runs it."""
    found = next((each for each in (directory, *directory.parents) if each.exists()), directory)
    if not found.is_dir():
        yield Problem(key, f"{str(found)!r} is no folder")


def _missing(path: KeyPath, tls: TlsClientConfig) -> Iterator[Problem]:
    for key in FILE_KEYS:
        file = getattr(tls, key)
        if file is not None and not Path(file).is_file():
            yield Problem((*path, key), f"there is no file {file!r}")


def _wrong_budgets(key: KeyPath, file: str | None) -> Iterator[Problem]:
    if file is None:
        return
    if not Path(file).is_file():
        yield Problem(key, f"there is no file {file!r}")
        return
    from otel_carbon.budgets.read import read_budgets  # few collectors have any

    try:
        read_budgets(Path(file))
    except BudgetError as error:
        for problem in error.problems:
            yield Problem(key, problem)


def _mixed_signals(exporter: str, service: ServiceConfig) -> Iterator[Problem]:
    """Protobuf requests of different signals cannot be told apart."""
    fed = {name.partition("/")[0] for name, pipeline in service.pipelines.items() if exporter in pipeline.exporters}
    if len(fed) > 1:
        what = f"a proto file holds one signal, and this would get {', '.join(sorted(fed))}; use one exporter for each"
        yield Problem(("exporters", exporter, "format"), what)
