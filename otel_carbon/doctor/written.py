"""Dataclasses of plain values to JSON and back; what was written by a killed process may be anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from otel_carbon.doctor.observations import ProcessReport

D = TypeVar("D")


def written(value: ProcessReport) -> bytes:
    """A report as JSON."""
    return json.dumps(asdict(value), ensure_ascii=True, allow_nan=False).encode()


def read_back(kind: type[D], body: bytes) -> D:
    """The dataclass that was written.

    Raises:
        ValueError: the body is no JSON, or holds something else.
    """
    return cast("D", _decoded(kind, json.loads(body)))


def _decoded(kind: Any, value: Any) -> Any:  # noqa: ANN401 - the edge, where JSON becomes values
    if is_dataclass(kind):
        return _object(cast("type[Any]", kind), value)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else _decoded(arguments[0], value)
    if origin is tuple:
        return tuple(_decoded(arguments[0], each) for each in _checked(list, value))
    if origin is Mapping:
        return {_checked(str, key): _decoded(arguments[1], each) for key, each in _checked(dict, value).items()}
    if kind is float:
        return float(_checked((int, float), value))
    return _checked(kind, value)


def _object(kind: type[Any], value: Any) -> Any:  # noqa: ANN401 - as above
    hints = get_type_hints(kind)
    given = _checked(dict, value)
    known = {each.name for each in fields(kind)} & given.keys()
    try:
        return kind(**{name: _decoded(hints[name], given[name]) for name in known})
    except TypeError as error:  # a field without a default is missing
        raise ValueError(str(error)) from error


def _checked(kind: Any, value: Any) -> Any:  # noqa: ANN401 - as above
    if not isinstance(value, kind):
        msg = f"expected {kind}, got {type(value).__name__}"
        raise ValueError(msg)  # noqa: TRY004 - whatever is wrong with a file is one kind of error to its reader
    return value
