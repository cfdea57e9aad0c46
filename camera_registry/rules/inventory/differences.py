"""What differs between two states of an item, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from enum import Enum

from camera_registry.model.register import Item

Values = Mapping[str, object]


def plain(value: object) -> object:
    """A field's value as JSON has it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [plain(inner) for inner in value]
    return value


def differing(before: Item | None, after: Item | None) -> tuple[Values | None, Values | None]:
    """The fields that differ, as they were and as they are. A new or removed item shows what it has besides the
    defaults."""
    if before is not None and after is not None:
        names = [field.name for field in fields(before) if getattr(before, field.name) != getattr(after, field.name)]
        return _values(before, names), _values(after, names)
    return _told(before), _told(after)


def _told(item: Item | None) -> Values | None:
    if item is None:
        return None
    return _values(item, [field.name for field in fields(item) if getattr(item, field.name) != field.default])


def _values(item: Item, names: list[str]) -> Values:
    return {name: plain(getattr(item, name)) for name in names}
