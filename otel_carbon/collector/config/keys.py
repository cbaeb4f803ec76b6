"""The names of settings as they stand in the file, for whoever describes models: errors, schema, reference page."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args, get_origin

from otel_carbon.collector.config.modelling import AliasChoices, BaseModel

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


def names_of(name: str, info: FieldInfo) -> tuple[str, ...]:
    """The names that a field is read by, the preferred one first."""
    alias = info.validation_alias
    if isinstance(alias, AliasChoices):
        return tuple(str(choice) for choice in alias.choices)
    return (str(alias or name),)


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by every name that they are read by."""
    return {key: info for name, info in model.model_fields.items() for key in names_of(name, info)}


def model_in(annotation: object) -> type[BaseModel] | None:
    """The model that an annotation such as `dict[str, Model]` or `Model | None` is about."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for each in get_args(annotation) if (model := model_in(each))), None)


def known_keys(model: type[BaseModel] | None, path: tuple[str | int, ...]) -> tuple[str, ...]:
    """Keys allowed at a place inside a model; the names of mappings and the indices of lists are passed over."""
    parts = list(path)
    while parts and model is not None:
        info = fields_of(model).get(str(parts.pop(0)))
        annotation = info.annotation if info else None
        if is_many(annotation) and parts:
            parts.pop(0)
        model = model_in(annotation)
    return tuple(fields_of(model)) if model else ()


def is_many(annotation: object) -> bool:
    """Whether an annotation is about a mapping or a list, with or without None."""
    return _is_list(annotation) or _is_mapping(annotation)


def empty_of(info: FieldInfo | None) -> dict[str, object] | list[object] | None:
    """What a key with nothing behind it stands for: an empty section, mapping or list; None for other settings."""
    annotation = info.annotation if info else None
    if _is_list(annotation):
        return []
    return {} if _is_mapping(annotation) or model_in(annotation) else None


def _is_list(annotation: object) -> bool:
    return any(get_origin(each) in {list, tuple} for each in (annotation, *get_args(annotation)))


def _is_mapping(annotation: object) -> bool:
    return any(get_origin(each) is dict for each in (annotation, *get_args(annotation)))
