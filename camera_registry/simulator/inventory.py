"""The inventory file: one CSV for the whole register, as the ``import`` command reads it.

Column ``record`` says what a row is; the other columns are the field names of the vocabulary. Several values in one
cell are joined by ``;``. Device rows carry ``username`` and ``password`` as well.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import fields
from enum import StrEnum

from camera_registry.model.register import KINDS, Item, Register

LOGIN = ("username", "password")
ORDER = ("contractor", "crew", "area", "site", "device", "channel", "view", "building")
"""What is referred to stands before what refers to it."""


def columns() -> list[str]:
    """Every column, each once, in the order in which the kinds of records first name them."""
    named = dict.fromkeys(field.name for record in ORDER for field in fields(KINDS[record]))
    return ["record", *named, *LOGIN]


def write(register: Register, logins: Mapping[str, tuple[str, str]]) -> str:
    """The register as CSV text. ``logins``: device to user name and password."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    names = columns()
    writer.writerow(names)
    items: dict[str, Iterable[Item]] = {
        "contractor": register.contractors.values(),
        "crew": register.crews.values(),
        "area": register.areas.values(),
        "site": register.sites.values(),
        "device": register.devices.values(),
        "channel": register.channels.values(),
        "view": register.views.values(),
        "building": register.buildings.values(),
    }
    for record in ORDER:
        own = frozenset(field.name for field in fields(KINDS[record]))
        for item in items[record]:
            row = {name: _cell(getattr(item, name)) for name in names if name in own}
            if record == "device" and item.id in logins:
                row["username"], row["password"] = logins[item.id]
            writer.writerow([record, *(row.get(name, "") for name in names[1:])])
    return out.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case StrEnum():
            return value.value
        case tuple():
            return ";".join(str(part) for part in value)
        case float():
            return f"{value:.10g}"
        case _:
            return str(value)
