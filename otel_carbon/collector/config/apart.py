"""Read a configuration in a child process, so that the memory of what reads and checks it ends there.

pydantic with our models, YAML and the checks take 12 MiB that a collector has no use for once it runs.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from otel_carbon.collector.config import plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from otel_carbon.collector.config.document import CollectorConfig
    from otel_carbon.collector.config.modelling import BaseModel, SecretStr

    ReadConfig = Callable[[], CollectorConfig | None]

_MODELLING = "otel_carbon.collector.config.modelling"
_READ, _HAS_MISTAKES, _FAILED = 0, 2, 70


class NotReadApart(Exception):
    """It has to be read in this process: there can be no child, or reading failed, which shows best here."""


def read_apart(read: ReadConfig) -> CollectorConfig | None:
    """Call `read` in a child process and take over what it returns, with plain objects for sections.

    Args:
        read: returns a configuration that was checked, or shows its mistakes and returns None.

    Raises:
        NotReadApart: nothing was read.
    """
    if not hasattr(os, "fork") or threading.active_count() > 1 or _MODELLING in sys.modules:
        raise NotReadApart
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        reading, writing = os.pipe()
        child = os.fork()
    except OSError as error:
        raise NotReadApart from error
    if child == 0:
        os.close(reading)  # or it would never notice that nobody reads any more
        _be_the_child(read, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        written = pipe.read()
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except ChildProcessError as error:  # whoever started us ignores what becomes of children
        raise NotReadApart from error
    if code == _HAS_MISTAKES:
        return None
    if code != _READ:
        raise NotReadApart
    plain.are_enough = True
    config: CollectorConfig = pickle.loads(written)  # noqa: S301 -- our own child wrote it
    return config


def _be_the_child(read: ReadConfig, writing: int) -> NoReturn:
    code = _FAILED
    try:
        config = read()
        if config is None:
            code = _HAS_MISTAKES
        else:
            with os.fdopen(writing, "wb") as pipe:
                _Handing(pipe).dump(config)
            code = _READ
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)  # whatever it was, our caller must not go on twice


class _Handing(pickle.Pickler):
    """Writes sections and secrets as what they hold, for a process without the library that they are made with."""

    def __init__(self, pipe: BinaryIO) -> None:
        super().__init__(pipe)
        from otel_carbon.collector.config import modelling

        self._section, self._secret = modelling.BaseModel, modelling.SecretStr

    def reducer_override(self, value: Any) -> Any:  # noqa: ANN401 -- as pickle has it
        if isinstance(value, self._section):
            return _section, (type(value), vars(value), value.model_fields_set)
        if isinstance(value, self._secret):
            return _secret, (value.get_secret_value(),)
        return NotImplemented


def _section(kind: type[BaseModel], values: dict[str, object], named: set[str]) -> BaseModel:
    section = kind.__new__(kind)
    vars(section).update(values)
    section.model_fields_set = named  # type: ignore[misc]  # a plain object lets itself be told
    return section


def _secret(text: str) -> SecretStr:
    from otel_carbon.collector.config.modelling import SecretStr

    return SecretStr(text)
