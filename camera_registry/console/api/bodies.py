"""Items of the register as JSON: models made from the vocabulary's own dataclasses, so that a new field is there at
once. Each value is held to the same rule as a cell of an inventory file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, create_model

from camera_registry.model.register import KINDS, Item
from camera_registry.rules.inventory.differences import plain

_STRICT = ConfigDict(extra="forbid", frozen=True)


@cache
def whole(kind: str) -> type[BaseModel]:
    """The model of a whole item; fields with a default may be left out."""
    cls = KINDS[kind]
    hints = get_type_hints(cls)
    given: dict[str, Any] = {
        field.name: (hints[field.name], ... if field.default is MISSING else field.default) for field in fields(cls)
    }
    return create_model(cls.__name__, __config__=_STRICT, __doc__=cls.__doc__, **given)


@cache
def patch(kind: str) -> type[BaseModel]:
    """The model of an edit (JSON merge patch, RFC 7396): what is left out stays, null is the field's default."""
    cls = KINDS[kind]
    hints = get_type_hints(cls)
    given: dict[str, Any] = {
        field.name: (hints[field.name] | None, None) for field in fields(cls) if field.name != "id"
    }
    return create_model(f"{cls.__name__}Patch", __config__=_STRICT, **given)


@cache
def replacement(kind: str) -> type[BaseModel]:
    """The model of a whole item whose identifier stands in the path."""
    base = whole(kind)
    given: dict[str, Any] = {
        name: (info.annotation, ... if info.is_required() else info.default)
        for name, info in base.model_fields.items()
        if name != "id"
    }
    return create_model(f"{KINDS[kind].__name__}Put", __config__=_STRICT, **given)


def item(kind: str, values: Mapping[str, Any]) -> Item:
    """The vocabulary's own value."""
    return KINDS[kind](**values)


def patched(kind: str, before: Item, edit: BaseModel) -> Item:
    """``before`` with the edit's fields."""
    defaults = {field.name: field.default for field in fields(KINDS[kind])}
    values = {name: getattr(before, name) for name in defaults}
    for name in edit.model_fields_set:
        given = getattr(edit, name)
        values[name] = defaults[name] if given is None and defaults[name] is not MISSING else given
    return item(kind, _held(kind, values))


def as_json(one: Item) -> dict[str, Any]:
    """The item's fields as JSON has them."""
    return {name: plain(value) for name, value in asdict(one).items()}


def _held(kind: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values, held once more to their types: a null in place of a field without a default is refused here."""
    adapter: TypeAdapter[Any] = TypeAdapter(whole(kind))
    validated = adapter.validate_python(dict(values))
    return {name: getattr(validated, name) for name in values}
