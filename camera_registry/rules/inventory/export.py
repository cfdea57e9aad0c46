"""A register as tables that an import reads back to the same register. Passwords and user names are never in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from datetime import date
from enum import StrEnum

from camera_registry.model.register import KINDS, Item, Register
from camera_registry.rules.inventory import words
from camera_registry.rules.inventory.loops import from_the_top
from camera_registry.rules.inventory.sheets import CLEAR, Cell, Mark, Sheet

_WORDS: Mapping[tuple[type, str], str] = {
    (type(member), member.value): synonyms[0]
    for entries in (words.KINDS, words.TRAFFIC_KINDS, words.LIVES, words.CATEGORIES, words.TLS_USES)
    for member, synonyms in entries.items()
}
"""A member's word in Chinese. Members of different lists may be spelt alike, so the list is part of the key."""


def sheets(register: Register, language: str = "en") -> tuple[Sheet, ...]:
    """One sheet for each kind of record that there is, header first; what others refer to comes before them."""
    found = []
    for record, synonyms in words.RECORDS.items():
        items = _items(register, record)
        if items:
            columns = fields(KINDS[record])
            header = [title(column.name, language) for column in columns]
            rows = [[_cell(column, getattr(item, column.name), language) for column in columns] for item in items]
            found.append(Sheet(synonyms[0] if language == "zh" else record, [header, *rows]))
    return tuple(found)


def table(register: Register, language: str = "en") -> list[list[Cell]]:
    """Everything in one table, for CSV: the kind of record first, and each field in one column for all that have it."""
    names = list(dict.fromkeys(column.name for record in words.RECORDS for column in fields(KINDS[record])))
    first = words.RECORD_COLUMN[1] if language == "zh" else words.RECORD_COLUMN[0]
    result: list[list[Cell]] = [[first, *(title(name, language) for name in names)]]
    for record, synonyms in words.RECORDS.items():
        shown = synonyms[0] if language == "zh" else record
        own = {column.name: column for column in fields(KINDS[record])}
        for item in _items(register, record):
            cells = (_cell(own[name], getattr(item, name), language) if name in own else "" for name in names)
            result.append([shown, *cells])
    return result


def _items(register: Register, record: str) -> list[Item]:
    items: Mapping[str, Item] = getattr(register, f"{record}s")
    if record in ("area", "device"):
        return from_the_top(items, {id: str(getattr(item, "parent", "")) for id, item in items.items()})
    return [items[id] for id in sorted(items)]


def title(name: str, language: str) -> str:
    """How a column is headed."""
    return words.HEADERS[name][0] if language == "zh" and name in words.HEADERS else name


def _cell(column: Field[object], value: object, language: str) -> Cell:
    """A value as it is written. What is empty although a new record's is not has to be said."""
    if value in (None, "", ()):
        return Mark(CLEAR) if column.default not in (MISSING, None, "", ()) else ""
    match value:
        case bool():
            return words.ANSWERS[value][0 if language == "zh" else 1]
        case StrEnum():
            return _WORDS[type(value), value.value] if language == "zh" else value.value
        case tuple():
            return "; ".join(value)
        case date():
            return value.isoformat()
        case str() | int() | float():
            return value
        case _:
            raise TypeError(f"{column.name} holds a {type(value).__name__}, which no inventory file can")
