"""Which columns each kind of record has: the fields of the vocabulary, how a cell of each is read, what ``-`` makes of
it, and what it refers to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields

from camera_registry.model import probe
from camera_registry.model.register import KINDS
from camera_registry.rules.inventory import cells, words
from camera_registry.rules.inventory.sheets import Cell

PROBES = tuple(probe.PROBES)

SECRETS = ("username", "password")
"""Columns of device rows whose values are sealed, never repeated and never written out."""


DATUM = "datum"
"""The column that says which coordinates a row holds; the register holds WGS-84."""


@dataclass(frozen=True, slots=True)
class Column:
    """One field of one kind of record. ``refers`` is the kind of record whose id it holds, or empty."""

    field: str
    read: Callable[[Cell], object]
    refers: str = ""
    required: bool = False
    cleared: object = None


def _shown(entries: Mapping[words.WordT, tuple[str, ...]]) -> str:
    return ", ".join(f"{member} {synonyms[0]}" for member, synonyms in entries.items())


# "Checkpoint" in the column of kinds is a traffic unit of that kind.
_KINDS: Mapping[str, object] = {**words.meanings(words.TRAFFIC_KINDS), **words.meanings(words.KINDS)}
_ANSWERS: Mapping[str, object] = {
    words.fold(word): answer for answer, synonyms in words.ANSWERS.items() for word in synonyms
}
_PORT = cells.whole(0, 65535)

_READERS: Mapping[str, Callable[[Cell], object]] = {
    "id": cells.identifier,
    "kind": cells.word(_KINDS, f"{_shown(words.KINDS)}, {_shown(words.TRAFFIC_KINDS)}"),
    "traffic_kind": cells.word(words.meanings(words.TRAFFIC_KINDS), _shown(words.TRAFFIC_KINDS)),
    "life": cells.word(words.meanings(words.LIVES), _shown(words.LIVES)),
    "category": cells.word(words.meanings(words.CATEGORIES), _shown(words.CATEGORIES)),
    "host": cells.host,
    "national_code": cells.national_code,
    "mac": cells.mac,
    "probes": cells.words(PROBES),
    "interval": cells.number(1, 86_400),
    "tcp_port": _PORT,
    "onvif_port": _PORT,
    "rtsp_port": _PORT,
    "http_port": _PORT,
    "tls_port": _PORT,
    "snmp_port": _PORT,
    "onvif_path": cells.path,
    "http_path": cells.path,
    "certificate": cells.fingerprint,
    "tls": cells.word(words.meanings(words.TLS_USES), _shown(words.TLS_USES)),
    "rtsp_path": cells.path,
    "snapshot_path": cells.path,
    "masks": cells.masks,
    "osd_box": cells.clock_box,
    "osd_format": cells.clock_format,
    "osd_zone": cells.time_zone,
    "may_move": cells.word(_ANSWERS, "yes 是, no 否"),
    "longitude": cells.number(-180, 180),
    "latitude": cells.number(-90, 90),
    "polygon": cells.place,
    "datum": cells.word(words.meanings(words.DATUMS), _shown(words.DATUMS)),
    "required_availability": cells.share,
    "hours": cells.hours,
    "height": cells.number(0, 1000),
    "azimuth": cells.number(0, 360),
    "view_angle": cells.number(1, 360),
    "view_range": cells.number(0.1, 100_000),
    "number": cells.whole(1, 100_000),
    "tags": cells.listed,
    "channels": cells.listed,
    "contract_end": cells.day,
    "warranty_end": cells.day,
    "installed": cells.day,
}
"""Fields that are not plain text."""

_REFERENCES: Mapping[tuple[str, str], str] = {
    ("area", "parent"): "area",
    ("site", "area"): "area",
    ("view", "site"): "site",
    ("view", "channels"): "channel",
    ("device", "area"): "area",
    ("device", "site"): "site",
    ("device", "parent"): "device",
    ("device", "backup_parent"): "device",
    ("device", "credential"): "credential",
    ("device", "onvif_credential"): "credential",
    ("device", "snmp_credential"): "credential",
    ("device", "contractor"): "contractor",
    ("channel", "device"): "device",
    ("crew", "contractor"): "contractor",
    ("crew", "area"): "area",
}

_REQUIRED = frozenset(
    {
        ("view", "site"),
        ("channel", "device"),
        ("channel", "number"),
        ("device", "kind"),
        ("device", "life"),
        ("device", "tls"),
        ("site", "category"),
    }
)
"""Fields that can't be cleared (all ids besides); the first two must be given for a new record."""


def _columns(record: str) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for field in fields(KINDS[record]):
        default = None if field.default is MISSING else field.default
        # What "-" leaves: nothing, and nothing of a port is 0, which is not what a new device has.
        cleared = 0 if isinstance(default, int) else "" if isinstance(default, str) else () if default == () else None
        required = field.name == "id" or (record, field.name) in _REQUIRED
        refers = _REFERENCES.get((record, field.name), "")
        found[field.name] = Column(field.name, _READERS.get(field.name, cells.text), refers, required, cleared)
    if record == "device":
        found.update({name: Column(name, cells.text) for name in SECRETS})
    if record == "building":
        found["polygon"] = Column("polygon", cells.ground, required=True)
    if "polygon" in found or "longitude" in found:
        found[DATUM] = Column(DATUM, _READERS[DATUM], required=True)
    return found


COLUMNS: Mapping[str, Mapping[str, Column]] = {record: _columns(record) for record in words.RECORDS}

MEANINGS: Mapping[str, Mapping[str, str]] = {
    record: words.field_meanings(record, frozenset(columns)) for record, columns in COLUMNS.items()
}
"""Folded header to field, for each kind of record."""
