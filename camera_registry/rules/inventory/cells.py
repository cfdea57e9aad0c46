"""One cell to one value: each function takes what stands in the file and returns what the vocabulary holds, or raises
BadCell."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from ipaddress import ip_address

from camera_registry.rules.geometry import geojson
from camera_registry.rules.inventory.problems import BadCell, Flaw
from camera_registry.rules.inventory.sheets import Cell
from camera_registry.rules.inventory.words import fold
from camera_registry.rules.pictures import outlines

MAX_ID = 100
MAX_TEXT = 1000
MAX_POLYGON = 100_000
MAX_MASKS = 16
LEAST_CLOCK = (0.05, 0.02)
"""Width and height of a clock as shares of the picture, below which its digits are less than 4 x 7 pixels of the 640 x
360 that are looked at."""

_EXACT = 10**15
"""Spreadsheets keep 15 digits of a number: from here on the last ones are lost."""
_SCIENTIFIC = re.compile(r"[+-]?\d(\.\d+)?[eE]\+?\d+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?|(\d{4})(\d{2})(\d{2})")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_PORT_AT_END = re.compile(r"[^:\[\]]+:\d{1,5}|\[[^\]]+\](:\d{1,5})?|[a-zA-Z]+://.*")
_HOURS = re.compile(r"([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)")
_LISTED = re.compile(r"[;；]")
_CONTROLS = {*range(0x20), *range(0x7F, 0xA0)} - set(b"\t\n\r")
_MARKS = {0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF}
_INVISIBLE = dict.fromkeys(_CONTROLS | _MARKS)
"""What nobody types on purpose: control characters (a PostgreSQL text holds no NUL), marks without width, and overrides
of the direction of writing."""
_SPREADSHEET_ERRORS = frozenset({"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})


def is_empty(cell: Cell) -> bool:
    """Whether nothing stands in the cell."""
    return cell is None or (isinstance(cell, str) and not cell.translate(_INVISIBLE).strip())


def text(cell: Cell) -> str:
    """Text as it is meant: without invisible characters and surrounding space, whole numbers without ``.0``."""
    if isinstance(cell, str):
        found = cell.translate(_INVISIBLE).strip()
        if found in _SPREADSHEET_ERRORS:
            raise BadCell(Flaw.SPREADSHEET_ERROR)
    elif isinstance(cell, bool) or cell is None:
        found = "" if cell is None else str(cell)
    elif isinstance(cell, int | float):
        if not math.isfinite(cell) or abs(cell) >= _EXACT:
            raise BadCell(Flaw.ROUNDED)
        found = str(int(cell)) if cell == int(cell) else repr(cell)
    elif isinstance(cell, datetime) and (cell.hour, cell.minute, cell.second) == (0, 0, 0):
        found = cell.date().isoformat()
    else:
        found = str(cell)
    if len(found) > MAX_TEXT:
        raise BadCell(Flaw.TOO_LONG, limit=str(MAX_TEXT), length=str(len(found)))
    return found


def plain(cell: Cell) -> str:
    """Text whose width does not matter: full-width digits and letters become ordinary ones."""
    return unicodedata.normalize("NFKC", text(cell)).strip()


def identifier(cell: Cell) -> str:
    """An id: any printable text of at most 100 characters that can be part of an address (RFC 3986, section 5.2.4)."""
    found = text(cell)
    if _SCIENTIFIC.fullmatch(found) and "+" in found:
        raise BadCell(Flaw.ROUNDED)
    if len(found) > MAX_ID or not found.isprintable() or found in (".", ".."):
        raise BadCell(Flaw.BAD_ID, limit=str(MAX_ID))
    return found


def listed(cell: Cell) -> tuple[str, ...]:
    """Several texts, separated by semicolons."""
    return tuple(dict.fromkeys(part.strip() for part in _LISTED.split(text(cell)) if part.strip()))


def number(low: float, high: float) -> Callable[[Cell], float]:
    """A number from ``low`` to ``high``."""

    def read(cell: Cell) -> float:
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            found = float(cell)
        else:
            written = plain(cell)
            if not _NUMBER.fullmatch(written):
                raise BadCell(Flaw.NOT_A_NUMBER)
            found = float(written)
        if not low <= found <= high:
            raise BadCell(Flaw.OUT_OF_RANGE, low=f"{low:g}", high=f"{high:g}")
        return found

    return read


def whole(low: int, high: int) -> Callable[[Cell], int]:
    """A whole number from ``low`` to ``high``."""
    read_number = number(low, high)

    def read(cell: Cell) -> int:
        found = read_number(cell)
        if found != int(found):
            raise BadCell(Flaw.NOT_WHOLE)
        return int(found)

    return read


def share(cell: Cell) -> float:
    """A share from 0 to 1; ``98%`` is 0.98."""
    if isinstance(cell, str) and plain(cell).endswith("%"):
        return round(number(0, 100)(plain(cell)[:-1]) / 100, 12)
    return number(0, 1)(cell)


def day(cell: Cell) -> date:
    """A date, as spreadsheets and people write it."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    written = plain(cell)
    match = _DATE.fullmatch(written) if not isinstance(cell, int | float) or len(written) == 8 else None
    if match is None:
        raise BadCell(Flaw.NOT_A_DATE)
    year, month, of_month = (int(part) for part in match.groups() if part is not None)
    try:
        return date(year, month, of_month)
    except ValueError:
        raise BadCell(Flaw.NOT_A_DATE) from None


def word(allowed: Mapping[str, object], shown: str) -> Callable[[Cell], object]:
    """One of a list of words (folded word to what it means); ``shown`` is the list for people."""

    def read(cell: Cell) -> object:
        meaning = allowed.get(fold(text(cell)))
        if meaning is None:
            raise BadCell(Flaw.NOT_A_WORD, allowed=shown)
        return meaning

    return read


def words(allowed: tuple[str, ...]) -> Callable[[Cell], tuple[str, ...]]:
    """Several of a list of words."""

    def read(cell: Cell) -> tuple[str, ...]:
        found = tuple(part.lower() for part in listed(cell))
        if any(part not in allowed for part in found):
            raise BadCell(Flaw.NOT_A_WORD, allowed=", ".join(allowed))
        return found

    return read


def host(cell: Cell) -> str:
    """An IPv4 or IPv6 address or a host name, without port and brackets (RFC 1123 section 2.1; ``_`` is seen in the
    field and let through)."""
    found = plain(cell)
    try:
        return str(ip_address(found))
    except ValueError:
        pass
    if _PORT_AT_END.fullmatch(found):
        raise BadCell(Flaw.HOST_WITH_PORT)
    name = found.removesuffix(".")
    labels = name.split(".")
    # "10.20.0.l7" could be a name, but it is an address with a slip in it.
    mistyped = labels[-1].isdigit() or (len(labels) > 2 and labels[0].isdigit() and labels[1].isdigit())
    if len(name) > 253 or mistyped or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadCell(Flaw.BAD_HOST)
    return name.lower()


def national_code(cell: Cell) -> str:
    """A device's 20-digit code of GB/T 28181 (annex: 8 digits centre, 2 trade, 3 type, 1 network, 6 serial).

    Types 200 to 499 are platforms and users, below 111 is nothing.
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        # Even where no digit is lost yet: the same column will round the next code.
        raise BadCell(Flaw.ROUNDED)
    found = plain(cell).replace(" ", "")
    if _SCIENTIFIC.fullmatch(found):
        raise BadCell(Flaw.ROUNDED)
    if len(found) != 20 or not (found.isascii() and found.isdigit()):
        raise BadCell(Flaw.BAD_CODE, length=str(len(found)))
    if not (111 <= int(found[10:13]) <= 199 or int(found[10:13]) >= 500):
        raise BadCell(Flaw.NO_DEVICE_CODE, type=found[10:13])
    return found


def mac(cell: Cell) -> str:
    """A MAC address, as twelve lower-case digits in pairs with colons."""
    digits = re.sub(r"[\s:.-]", "", plain(cell)).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits):
        raise BadCell(Flaw.BAD_MAC)
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def fingerprint(cell: Cell) -> str:
    """The SHA-256 fingerprint of a certificate, as 64 lower-case hexadecimal digits."""
    digits = re.sub(r"[\s:.-]", "", plain(cell)).lower().removeprefix("sha256")
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise BadCell(Flaw.BAD_FINGERPRINT)
    return digits


def hours(cell: Cell) -> str:
    """Hours in force, ``HH:MM-HH:MM``."""
    found = re.sub(r"\s", "", plain(cell)).replace("~", "-").replace("—", "-").replace("–", "-")
    if re.match(r"\d:", found):
        found = f"0{found}"
    if not _HOURS.fullmatch(found):
        raise BadCell(Flaw.BAD_HOURS)
    return found


def place(cell: Cell) -> str:
    """A GeoJSON polygon, or a line where the place is a road, as text (RFC 7946)."""
    return _shape(cell, geojson.AREAS + geojson.LINES)


def ground(cell: Cell) -> str:
    """A GeoJSON polygon as text."""
    return _shape(cell, geojson.AREAS)


def _shape(cell: Cell, kinds: tuple[str, ...]) -> str:
    if not isinstance(cell, str) or len(cell) > MAX_POLYGON:
        raise BadCell(Flaw.BAD_POLYGON)
    try:
        geojson.read(cell, kinds)
    except geojson.BadShape as bad:
        if bad.what == "crossing":
            raise BadCell(Flaw.CROSSING_POLYGON, where=bad.where) from None
        raise BadCell(Flaw.BAD_POLYGON) from None
    return cell.strip()


def path(cell: Cell) -> str:
    """The path of an address, with its query, or a whole address without user and password in it."""
    found = text(cell)
    if not re.match(r"/|[a-z]+://", found) or any(c.isspace() for c in found) or re.match(r"[a-z]+://[^/]*@", found):
        raise BadCell(Flaw.BAD_PATH)
    return found


def masks(cell: Cell) -> tuple[str, ...]:
    """Parts of the picture that nobody may see, separated by semicolons: boxes and polygons, in shares of it."""
    found = apart(text(cell))
    if len(found) > MAX_MASKS:
        raise BadCell(Flaw.TOO_MANY_MASKS, limit=str(MAX_MASKS), count=str(len(found)))
    return tuple(dict.fromkeys(_mask(unicodedata.normalize("NFKC", one)) for one in found))


def apart(written: str) -> tuple[str, ...]:
    """The masks of a text, which stand in lines of their own or are separated by semicolons."""
    return tuple(part.strip() for line in written.splitlines() for part in _LISTED.split(line) if part.strip())


def _mask(one: str) -> str:
    try:
        corners = outlines.outline(one)
    except ValueError:
        raise BadCell(Flaw.BAD_MASK, part=one[:60]) from None
    if not outlines.inside(corners):
        raise BadCell(Flaw.OUTSIDE_PICTURE, part=one[:60])
    try:
        geojson.check_outline(corners)
    except geojson.BadShape as bad:
        if bad.what == "empty":
            raise BadCell(Flaw.FLAT_MASK, part=one[:60]) from None
        raise BadCell(Flaw.CROSSING_MASK, part=one[:60], where=bad.where) from None
    return outlines.written(one)


def clock_box(cell: Cell) -> str:
    """Where a clock is burnt in: left, top, width and height, in shares of the picture."""
    found = plain(cell)
    try:
        _, _, width, height = outlines.box(found)
    except ValueError:
        raise BadCell(Flaw.BAD_CLOCK_BOX) from None
    if not outlines.inside(outlines.outline(found)):
        raise BadCell(Flaw.OUTSIDE_PICTURE, part=found[:60])
    if width < LEAST_CLOCK[0] or height < LEAST_CLOCK[1]:
        raise BadCell(Flaw.SMALL_CLOCK, width=f"{LEAST_CLOCK[0]:g}", height=f"{LEAST_CLOCK[1]:g}")
    return outlines.written(found)


def clock_format(cell: Cell) -> str:
    """How a burnt-in clock is written: ``YYYY-MM-DD HH:MM:SS``, or the same in another order."""
    try:
        return outlines.layout(plain(cell))
    except ValueError as bad:
        raise BadCell(Flaw.BAD_CLOCK_FORMAT, part=str(bad)[:60], allowed=" ".join(outlines.CODES)) from None


def time_zone(cell: Cell) -> str:
    """A time zone by its name or its distance from UTC."""
    found = plain(cell)
    try:
        outlines.zone(found)
    except ValueError:
        raise BadCell(Flaw.BAD_ZONE) from None
    return found
