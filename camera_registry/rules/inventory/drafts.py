"""Lines to drafts: every cell read, the id settled, but nothing yet compared with any other row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from camera_registry.model.device import Kind, TrafficKind
from camera_registry.rules.geometry.datum import Datum, shape_to_wgs84, to_wgs84
from camera_registry.rules.inventory.columns import COLUMNS, DATUM, SECRETS
from camera_registry.rules.inventory.problems import BadCell, Flaw, Problem, shown
from camera_registry.rules.inventory.sheets import CLEAR, Cell
from camera_registry.rules.inventory.table import Line

_ESCAPED = "=+-@\t\r'"


@dataclass(slots=True)
class Draft:
    """One record as the file has it. ``values`` holds only the fields that the file speaks of."""

    line: Line
    id: str
    values: dict[str, Any] = field(default_factory=dict)
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def record(self) -> str:
        return self.line.record

    def problem(self, flaw: Flaw, column: str = "", **details: str) -> Problem:
        """A problem with this row, at the column of a field."""
        value = "" if column in SECRETS else shown(self.line.cells.get(column))
        header = self.line.headers.get(column)
        lacks = bool(column) and header is None
        return Problem(flaw, self.line.sheet, self.line.row, header or column, value, details, lacks)


def drafts(lines: Iterable[Line], problems: list[Problem], datum: Datum = Datum.WGS84) -> Iterator[Draft]:
    """A draft for each line that has an id; adds every cell that can't be read to ``problems``. ``datum`` is that of
    rows that do not name theirs."""
    for line in lines:
        draft = Draft(line, "")
        for name, cell in line.cells.items():
            _read(draft, name, cell, problems)
        _to_wgs84(draft, datum, problems)
        draft.id = _settle_id(draft)
        if draft.id:
            yield draft
        elif "id" not in line.cells:
            problems.append(draft.problem(Flaw.MISSING_ID, "id"))


def unescape(cell: Cell) -> Cell:
    """Take off the apostrophe that keeps a spreadsheet from running a text as a formula."""
    if isinstance(cell, str) and len(cell) > 1 and cell[0] == "'" and cell[1] in _ESCAPED:
        return cell[1:]
    return cell


def _read(draft: Draft, name: str, cell: Cell, problems: list[Problem]) -> None:
    column = COLUMNS[draft.record][name]
    if isinstance(cell, str) and cell.strip() == CLEAR:
        if column.required:
            problems.append(draft.problem(Flaw.MISSING_FIELD, name, field=name))
        elif name not in SECRETS:
            draft.values[name] = column.cleared
        return
    try:
        # No export has written an apostrophe in front of a password, so one that is there belongs to it.
        value = column.read(cell if name in SECRETS else unescape(cell))
    except BadCell as bad:
        problems.append(draft.problem(bad.flaw, name, **bad.details))
        return
    match name, value:
        case "username", str():
            draft.username = value
        case "password", str():
            draft.password = value
        case "kind", TrafficKind():
            draft.values["kind"] = Kind.TRAFFIC_UNIT
            draft.values.setdefault("traffic_kind", value)
        case _:
            draft.values[name] = value


def _to_wgs84(draft: Draft, datum: Datum, problems: list[Problem]) -> None:
    """Turn the coordinates of a row into WGS-84."""
    values = draft.values
    datum = values.pop(DATUM, datum)
    if datum is Datum.WGS84:
        return
    longitude, latitude = values.get("longitude"), values.get("latitude")
    if longitude is not None and latitude is not None:
        there = to_wgs84(longitude, latitude, datum)
        values["longitude"], values["latitude"] = round(there[0], 8), round(there[1], 8)
    elif longitude is not None or latitude is not None:
        given, other = ("longitude", "latitude") if latitude is None else ("latitude", "longitude")
        if other not in draft.line.cells:
            problems.append(draft.problem(Flaw.HALF_POSITION, given, missing=other))
    if values.get("polygon"):
        values["polygon"] = shape_to_wgs84(values["polygon"], datum)


def _settle_id(draft: Draft) -> str:
    """The id in the file; without one: a device's national code, or the place of a channel or view in its owner."""
    given, values = draft.values.get("id", ""), draft.values
    if given or "id" in draft.line.cells:
        return str(given)
    match draft.record:
        case "device":
            found = str(values.get("national_code", ""))
        case "channel" if values.get("device"):
            found = f"{values['device']}/{values.get('number', 1)}"
        case "view" if values.get("site") and values.get("name"):
            found = f"{values['site']}/{values['name']}"
        case _:
            found = ""
    if found:
        values["id"] = found
    return found
