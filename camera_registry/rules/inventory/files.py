"""Inventory files: bytes to sheets and back. CSV in the encodings and with the separators of the field, and XLSX."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from itertools import islice

from camera_registry.rules.inventory.sheets import CLEAR, Cell, Mark, Sheet, Unreadable

MAX_BYTES = 64_000_000
MAX_UNPACKED = 1_000_000_000
MAX_ROWS = 500_000

_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_SEPARATORS = ",;\t"
_END = "end"
"""Put after the last row: what swallows it has no end of its own."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def read(content: bytes, name: str = "") -> tuple[Sheet, ...]:
    """The sheets of a CSV file or workbook, told apart by their first bytes; the ``name`` of the file only helps to say
    what is wrong with it. Raises Unreadable."""
    if len(content) > MAX_BYTES:
        raise Unreadable(f"the file has more than {MAX_BYTES // 1_000_000} MB: split it")
    if content.startswith(_ZIP):
        return _read_workbook(content)
    if content.startswith(_OLD_EXCEL):
        raise Unreadable("this is a workbook of the old format (.xls): save it as .xlsx or as CSV UTF-8")
    if name.lower().endswith((".geojson", ".json")):
        return (_read_features(content),)
    if name.lower().endswith(".xlsx"):
        raise Unreadable("it is named .xlsx and is no workbook of that format: save it anew as .xlsx, or as CSV UTF-8")
    return (_read_csv(content),)


def write_csv(table: Sequence[Sequence[Cell]]) -> bytes:
    """A CSV file in UTF-8 with a byte-order mark, by which spreadsheets know the encoding."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerows([_harmless(cell) for cell in row] for row in table)
    return codecs.BOM_UTF8 + buffer.getvalue().encode("utf-8", "replace")


def write_workbook(tables: Sequence[Sheet]) -> bytes:
    """A workbook whose cells are all text: no code is rounded, and nothing is run as a formula."""
    from openpyxl import Workbook  # noqa: PLC0415 - slow to load, and only files of this kind need it

    book = Workbook(write_only=True)
    for table in tables:
        sheet = book.create_sheet(table.name)
        sheet.freeze_panes = "A2"
        for row in table.rows:
            sheet.append([_text_cell(sheet, str(_literal(cell))) if cell not in (None, "") else None for cell in row])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _text_cell(sheet: object, text: str) -> object:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - as above

    cell = WriteOnlyCell(sheet, _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text))
    # The library takes a text that begins with "=" for a formula, unless it is told.
    cell.data_type = "s"
    cell.number_format = "@"
    return cell


def _harmless(cell: Cell) -> Cell:
    """A text that a spreadsheet would run gets an apostrophe in front; the reader takes it off again."""
    if isinstance(cell, str) and not isinstance(cell, Mark) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return _literal(cell)


def _literal(cell: Cell) -> Cell:
    """A text that the reader would take for something else (``-`` alone, an apostrophe of its own) keeps its
    meaning."""
    if isinstance(cell, str) and not isinstance(cell, Mark) and (cell == CLEAR or cell.startswith("'")):
        return f"'{cell}"
    return cell


def _read_features(content: bytes) -> Sheet:
    """A GeoJSON FeatureCollection (RFC 7946, section 3.3) as a table: properties are columns, the geometry is
    ``polygon``. Features are buildings unless their property ``record`` says otherwise; one without an id is named for
    its place in the file."""
    try:
        features = json.loads(content)["features"]
        rows = [
            {
                "record": "building",
                "id": feature.get("id", f"building-{place}"),
                **{name: value for name, value in (feature.get("properties") or {}).items() if value is not None},
                "polygon": json.dumps(feature["geometry"], separators=(",", ":")),
            }
            for place, feature in enumerate(features, 1)
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Unreadable("this is no GeoJSON FeatureCollection of polygons: save it anew as GeoJSON") from error
    if len(rows) > MAX_ROWS:
        raise Unreadable(f"the file has more than {MAX_ROWS:,} features: split it")
    header = list(dict.fromkeys(name for row in rows for name in row))
    return Sheet("", [header, *([_told(row.get(name)) for name in header] for row in rows)])


def _told(value: object) -> Cell:
    return value if isinstance(value, str | int | float | bool) or value is None else json.dumps(value)


def _read_csv(content: bytes) -> Sheet:
    text = _decode(content)
    first, _, rest = text.partition("\n")
    separator = re.fullmatch(r"sep=(.)\r?", first)
    if separator is not None:
        # A line of Excel's own. It stays as an empty row, so that rows keep their numbers.
        text = "\n" + rest
    delimiter = separator[1] if separator is not None else _separator(text)
    try:
        rows = list(csv.reader(io.StringIO(f"{text}\n{_END}", newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise Unreadable(f"this is not a CSV file that can be read ({error}): save it anew as CSV UTF-8") from error
    if rows.pop() != [_END]:
        raise Unreadable(
            f'in row {len(rows) + 1} a quotation mark (") opens a text that never ends: close or remove it'
        )
    if rows and not rows[-1]:
        rows.pop()
    if len(rows) > MAX_ROWS:
        raise Unreadable(f"the file has more than {MAX_ROWS:,} rows: split it")
    return Sheet("", rows)


def _decode(content: bytes) -> str:
    """Text in UTF-8 or UTF-16 with a mark, in UTF-8, or in GB18030, which GBK and GB2312 are parts of."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            encodings = [encoding]
            break
    else:
        encodings = ["utf-8", "gb18030"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Unreadable("the text is neither UTF-8 nor GB18030 (GBK): save the file as CSV UTF-8")


def _separator(text: str) -> str:
    """The separator that the first line with any of them has most of, outside quotes."""
    for line in text.splitlines()[:10]:
        bare = re.sub(r'"[^"]*"', "", line)
        counts = {separator: bare.count(separator) for separator in _SEPARATORS}
        if any(counts.values()):
            return max(counts, key=lambda separator: counts[separator])
    return ","


def _read_workbook(content: bytes) -> tuple[Sheet, ...]:
    try:
        with warnings.catch_warnings():
            # The library warns of styles and validations that it does not keep; we only read values.
            warnings.simplefilter("ignore")
            return tuple(_workbook_sheets(content))
    except Unreadable:
        raise
    except Exception as error:
        # A broken workbook makes the library raise nearly anything.
        raise Unreadable(
            f"this workbook can't be read ({type(error).__name__}): save it anew as .xlsx, or as CSV UTF-8"
        ) from error


def _workbook_sheets(content: bytes) -> Iterator[Sheet]:
    from openpyxl import load_workbook  # noqa: PLC0415 - slow to load, and only files of this kind need it

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED:
            raise Unreadable("the workbook unpacks to more than 1 GB: save only the inventory's sheets")
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        # Some programs write a wrong size into the file.
        sheet.reset_dimensions()
        rows = list(islice(sheet.iter_rows(values_only=True), MAX_ROWS + 1))
        if len(rows) > MAX_ROWS:
            raise Unreadable(f"sheet {sheet.title} has more than {MAX_ROWS:,} rows: split it")
        yield Sheet(sheet.title, rows)
    book.close()
