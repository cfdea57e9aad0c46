"""Sheets to lines: finds the header row, what kind of record each row is, and which cell is which field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from camera_registry.model.device import Kind
from camera_registry.rules.inventory import words
from camera_registry.rules.inventory.cells import is_empty
from camera_registry.rules.inventory.columns import MEANINGS
from camera_registry.rules.inventory.problems import Flaw, Problem, shown
from camera_registry.rules.inventory.sheets import Cell, Sheet

_SEARCHED = 10
"""The header is one of the first rows; titles may stand above it."""

_RECORD_HEADERS = frozenset(words.fold(word) for word in words.RECORD_COLUMN)
_KIND_MEANINGS = words.meanings(words.KINDS)
_TELLING = (
    ("device", ("host", "national_code", "onvif_port", "rtsp_port", "password")),
    ("channel", ("rtsp_path", "token", "snapshot_path")),
)
"""Fields that only one kind of record has and that every such sheet would show."""
_OWN_ID = {
    words.fold(word): record
    for record in ("area", "contractor", "crew", "site", "device", "view", "channel", "building")
    for word in words.OWN_HEADERS[record]["id"]
}
_COUNTERS = frozenset(words.fold(word) for word in ("", *words.COUNTER_COLUMN))
_ALL_HEADERS = frozenset(title for meanings in MEANINGS.values() for title in meanings)


@dataclass(frozen=True, slots=True)
class Line:
    """One row that is a record. ``cells`` holds what is not empty, by field; ``headers`` each field's column."""

    sheet: str
    row: int
    record: str
    cells: Mapping[str, Cell]
    headers: Mapping[str, str]
    device_kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class _Header:
    row: int
    titles: Sequence[str]
    record: str
    record_place: int | None
    device_kind: Kind | None


@dataclass(frozen=True, slots=True)
class _Layout:
    """The columns of a sheet as one kind of record has them: place to field, field to header, and places of columns
    that only other kinds have."""

    fields: Mapping[int, str]
    headers: Mapping[str, str]
    unused: frozenset[int]


def lines(sheets: Sequence[Sheet], problems: list[Problem]) -> Iterator[Line]:
    """Every record in the sheets, in order; adds what is wrong with headers and rows to ``problems``."""
    for sheet in sheets:
        header = _header(sheet)
        if header is None:
            filled = any(not is_empty(cell) for row in sheet.rows for cell in row)
            if filled or len(sheets) == 1:
                problems.append(Problem(Flaw.SHEET_SKIPPED if len(sheets) > 1 else Flaw.NO_HEADER, sheet.name))
            continue
        yield from _records(sheet, header, problems)


def _records(sheet: Sheet, header: _Header, problems: list[Problem]) -> Iterator[Line]:
    _check_header(sheet, header, problems)
    layouts: dict[str, _Layout] = {}
    untitled = {place for place, title in enumerate(header.titles) if not title}
    for number, row in enumerate(islice(sheet.rows, header.row, None), start=header.row + 1):
        filled = [place for place, cell in enumerate(row) if not is_empty(cell)]
        if not filled:
            continue
        beyond = [place for place in filled if place >= len(header.titles) or place in untitled]
        if beyond:
            problems.append(Problem(Flaw.TOO_MANY_CELLS, sheet.name, number, details={"count": str(len(beyond))}))
            continue
        what = _record_of(header, row)
        if what is None:
            problems.append(_unknown_record(sheet, header, number, row))
            continue
        record, device_kind = what
        layout = layouts.get(record) or layouts.setdefault(record, _layout(header, record))
        for place in filled:
            if place in layout.unused:
                details = {"record": record}
                problems.append(Problem(Flaw.UNUSED_CELL, sheet.name, number, header.titles[place], details=details))
        cells = {layout.fields[place]: row[place] for place in filled if place in layout.fields}
        yield Line(sheet.name, number, record, cells, layout.headers, device_kind)


def _record_of(header: _Header, row: Sequence[Cell]) -> tuple[str, Kind | None] | None:
    """What a row is: as its record column says, else as the sheet does."""
    place = header.record_place
    written = row[place] if place is not None and place < len(row) else None
    return (header.record, header.device_kind) if is_empty(written) else _record(str(written))


def _unknown_record(sheet: Sheet, header: _Header, number: int, row: Sequence[Cell]) -> Problem:
    place = header.record_place
    assert place is not None, "only a record column can name what is not known"
    allowed = ", ".join(f"{kind} {synonyms[0]}" for kind, synonyms in words.RECORDS.items())
    value, title = shown(row[place]), header.titles[place]
    return Problem(Flaw.UNKNOWN_RECORD, sheet.name, number, title, value, {"allowed": allowed})


def _header(sheet: Sheet) -> _Header | None:
    named = _record(sheet.name) if sheet.name else None
    best: tuple[int, int] = (0, 0)
    for index, row in enumerate(sheet.rows[:_SEARCHED]):
        known = sum(1 for cell in row if isinstance(cell, str) and _known(cell))
        if known > best[0]:
            best = (known, index)
    known, index = best
    filled = sum(1 for cell in sheet.rows[index] if not is_empty(cell)) if sheet.rows else 0
    # A row of data may hold one word that is also a header; a header is mostly headers.
    if known == 0 or (known < 2 and filled > 1):
        return None
    titles = tuple("" if is_empty(cell) else str(cell).strip() for cell in sheet.rows[index])
    record_place = next((place for place, title in enumerate(titles) if words.fold(title) in _RECORD_HEADERS), None)
    record, device_kind = named or (_guess(titles), None)
    return _Header(index + 1, titles, record, record_place, device_kind)


def _record(text: str) -> tuple[str, Kind | None] | None:
    """What a sheet's name or the record column says; the name of a kind of device says that too."""
    folded = words.fold(text)
    if folded in _KIND_MEANINGS:
        return "device", _KIND_MEANINGS[folded]
    record = words.RECORD_MEANINGS.get(folded)
    return None if record is None else (record, None)


def _guess(titles: Sequence[str]) -> str:
    """What a sheet of these columns lists, where it does not say so; devices, if in doubt."""
    folded = {words.fold(title) for title in titles}
    for record, telling in _TELLING:
        if folded & {title for title, field in MEANINGS[record].items() if field in telling}:
            return record
    first = next((_OWN_ID[words.fold(title)] for title in titles if words.fold(title) in _OWN_ID), None)
    return first or "device"


def _fields(header: _Header, record: str) -> dict[int, str]:
    """Place of each column to the field it is in this kind of record; the first of two columns for one field."""
    taken: set[str] = set()
    found: dict[int, str] = {}
    titles = [(place, words.fold(title)) for place, title in enumerate(header.titles) if place != header.record_place]
    # A field's own name comes before its synonyms, wherever it stands: "device" may be the id of a device.
    for exact in (True, False):
        for place, title in titles:
            field = MEANINGS[record].get(title)
            if field is not None and field not in taken and (not exact or title == words.fold(field)):
                found[place] = field
                taken.add(field)
    if header.record_place is not None and record != header.record:
        # In a sheet of several kinds of records, "device id" heads the ids of them all.
        for place, title in enumerate(header.titles):
            field = MEANINGS[header.record].get(words.fold(title))
            if field in ("id", "name") and field not in taken and place not in found:
                found[place] = field
                taken.add(field)
    return found


def _layout(header: _Header, record: str) -> _Layout:
    fields = _fields(header, record)
    unused = set[int]()
    if header.record_place is not None:
        # Where rows are of several kinds, a column may be another kind's; a cell in it is a slip.
        others = (place for place, title in enumerate(header.titles) if _known_elsewhere(title))
        unused.update(place for place in others if place not in fields and place != header.record_place)
    return _Layout(fields, {field: header.titles[place] for place, field in fields.items()}, frozenset(unused))


def _check_header(sheet: Sheet, header: _Header, problems: list[Problem]) -> None:
    used = _fields(header, header.record)
    first = {field: header.titles[place] for place, field in used.items()}
    for place, title in enumerate(header.titles):
        if place in (header.record_place, *used) or words.fold(title) in _COUNTERS:
            continue
        field = MEANINGS[header.record].get(words.fold(title))
        if field is not None and header.record_place is None:
            details = {"other": first[field]}
            problems.append(Problem(Flaw.COLUMN_TWICE, sheet.name, header.row, title, details=details))
        elif header.record_place is None or not _known_elsewhere(title):
            problems.append(Problem(Flaw.UNKNOWN_COLUMN, sheet.name, header.row, shown(title)))


def _known(title: str) -> bool:
    return words.fold(title) in _RECORD_HEADERS or _known_elsewhere(title)


def _known_elsewhere(title: str) -> bool:
    return words.fold(title) in _ALL_HEADERS
