"""What differs between two states of an item, as JSON values, and those values as an item has them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields
from datetime import date
from enum import Enum
from functools import cache
from typing import Any, cast, get_args, get_origin, get_type_hints

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


def typed(cls: type[Item], values: Values) -> dict[str, Any]:
    """JSON values as the fields of ``cls`` hold them; what an item of this release does not have is left out."""
    found: dict[str, Any] = {}
    makers = _makers(cast("Hashable", cls))
    for name, value in values.items():
        if name in makers:
            maker = makers[name]
            try:
                found[name] = value if value is None or maker is None else maker(value)
            except ValueError:
                # A word of an older release.
                continue
    return found


@cache
def _makers(cls: Any) -> Mapping[str, Callable[[Any], Any] | None]:
    hints = get_type_hints(cls)
    return {field.name: _maker(hints[field.name]) for field in fields(cls)}


def _maker(hint: Any) -> Callable[[Any], Any] | None:
    """What makes a field's value of a JSON value; None: it is the same."""
    if get_origin(hint) is tuple:
        return tuple
    for one in (hint, *get_args(hint)):
        if isinstance(one, type) and issubclass(one, Enum):
            return one
        if one is date:
            return date.fromisoformat
    return None
