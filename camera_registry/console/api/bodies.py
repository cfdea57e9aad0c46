"""Items of the register as JSON: models made from the vocabulary's own dataclasses, so that a new field is there at
once. Each value is held to the same rule as a cell of an inventory file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from datetime import date
from enum import Enum
from functools import cache
from typing import Annotated, Any, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, create_model
from pydantic_core import PydanticCustomError

from camera_registry.model.register import KINDS, Item
from camera_registry.rules.inventory.columns import COLUMNS
from camera_registry.rules.inventory.differences import plain
from camera_registry.rules.inventory.problems import BadCell

_STRICT = ConfigDict(extra="forbid", frozen=True)


@cache
def whole(kind: str) -> type[BaseModel]:
    """The model of a whole item; fields with a default may be left out."""
    return create_model(KINDS[kind].__name__, __config__=_STRICT, __doc__=KINDS[kind].__doc__, **_fields(kind))


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
    given = {name: field for name, field in _fields(kind).items() if name != "id"}
    return create_model(f"{KINDS[kind].__name__}Put", __config__=_STRICT, **given)


def _fields(kind: str) -> dict[str, Any]:
    """Fields of a model, each with its type and its default."""
    hints = get_type_hints(KINDS[kind])
    return {
        field.name: (_held(kind, field.name, hints[field.name]), ... if field.default is MISSING else field.default)
        for field in fields(KINDS[kind])
    }


def item(kind: str, values: Mapping[str, Any]) -> Item:
    """The vocabulary's own value."""
    return KINDS[kind](**values)


def patched(kind: str, before: Item, edit: BaseModel) -> Item:
    """``before`` with the edit's fields. Raises ValidationError where a field that must be would be cleared."""
    values = {field.name: getattr(before, field.name) for field in fields(before)}
    for field in fields(before):
        if field.name in edit.model_fields_set:
            given = getattr(edit, field.name)
            values[field.name] = field.default if given is None and field.default is not MISSING else given
    checked = whole(kind).model_validate(values)
    return item(kind, {name: getattr(checked, name) for name in values})


def as_json(one: Item) -> dict[str, Any]:
    """The item's fields as JSON has them."""
    return {name: plain(value) for name, value in asdict(one).items()}


def _held(kind: str, name: str, hint: Any) -> Any:
    """The type of a field with the rule that a cell of an inventory file is held to."""
    column = COLUMNS[kind][name]

    def read(value: object) -> object:
        # What is empty is the default's business; a word of a closed list and a date are what they are by their type.
        if value is None or value in ("", ()) or isinstance(value, Enum | date):
            return value
        try:
            if isinstance(value, tuple):
                return column.read(";".join(value))
            return column.read(value) if isinstance(value, str | int | float) else value
        except BadCell as bad:
            raise PydanticCustomError(
                "flaw", "{flaw}", {"flaw": bad.flaw.value, "value": value, **bad.details}
            ) from bad

    return Annotated[hint, AfterValidator(read)]
