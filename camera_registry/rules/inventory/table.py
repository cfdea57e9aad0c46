"""Sheets to lines: finds the header row, what kind of record each row is, and which cell is which field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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
    for record in ("area", "contractor", "crew", "site", "device", "view", "channel")
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
    places: dict[str, dict[int, str]] = {}
    _check_header(sheet, header, problems)
    for index in range(header.row, len(sheet.rows)):
        row, number = sheet.rows[index], index + 1
        filled = [place for place, cell in enumerate(row) if not is_empty(cell)]
        if not filled:
            continue
        if filled[-1] >= len(header.titles) or not header.titles[filled[-1]]:
            beyond = [place for place in filled if place >= len(header.titles) or not header.titles[place]]
            problems.append(Problem(Flaw.TOO_MANY_CELLS, sheet.name, number, details={"count": str(len(beyond))}))
            continue
        record, device_kind = header.record, header.device_kind
        if header.record_place is not None:
            written = row[header.record_place] if header.record_place < len(row) else None
            found = _record(str(written)) if not is_empty(written) else (record, device_kind)
            if found is None:
                allowed = ", ".join(f"{kind} {synonyms[0]}" for kind, synonyms in words.RECORDS.items())
                title = header.titles[header.record_place]
                details = {"allowed": allowed}
                problems.append(Problem(Flaw.UNKNOWN_RECORD, sheet.name, number, title, shown(written), details))
                continue
            record, device_kind = found
        if record not in places:
            places[record] = _fields(header, record)
        fields = places[record]
        cells: dict[str, Cell] = {}
        for place in filled:
            field = fields.get(place)
            if field is not None:
                cells[field] = row[place]
            elif header.record_place not in (None, place) and _known_elsewhere(header.titles[place]):
                problems.append(
                    Problem(Flaw.UNUSED_CELL, sheet.name, number, header.titles[place], details={"record": record})
                )
        yield Line(sheet.name, number, record, cells, _by_field(header, fields), device_kind)


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


def _by_field(header: _Header, fields: Mapping[int, str]) -> Mapping[str, str]:
    return {field: header.titles[place] for place, field in fields.items()}


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
