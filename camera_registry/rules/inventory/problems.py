"""What can be wrong in an inventory file: a closed list, each found at a place, each with a remedy in the texts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_USERINFO = re.compile(r"//[^/\s]*@")

_SHOWN = 80
"""So many characters of a cell are repeated to people."""


def shown(cell: object) -> str:
    """What is repeated of a cell: its beginning, without a user name and password that stand in an address."""
    return "" if cell is None else _USERINFO.sub("//***@", str(cell))[:_SHOWN]


class Flaw(StrEnum):
    """The texts ``problem.<flaw>.what`` and ``problem.<flaw>.remedy`` say each in words."""

    NO_HEADER = "no_header"
    UNKNOWN_RECORD = "unknown_record"
    MISSING_ID = "missing_id"
    MISSING_FIELD = "missing_field"
    TOO_MANY_CELLS = "too_many_cells"
    COLUMN_TWICE = "column_twice"
    DUPLICATE = "duplicate"
    DUPLICATE_CODE = "duplicate_code"
    BAD_ID = "bad_id"
    TOO_LONG = "too_long"
    SPREADSHEET_ERROR = "spreadsheet_error"
    NOT_A_NUMBER = "not_a_number"
    NOT_WHOLE = "not_whole"
    OUT_OF_RANGE = "out_of_range"
    NOT_A_DATE = "not_a_date"
    NOT_A_WORD = "not_a_word"
    BAD_HOST = "bad_host"
    HOST_WITH_PORT = "host_with_port"
    OUTSIDE_NETWORKS = "outside_networks"
    ROUNDED = "rounded"
    BAD_CODE = "bad_code"
    NO_DEVICE_CODE = "no_device_code"
    BAD_MAC = "bad_mac"
    BAD_FINGERPRINT = "bad_fingerprint"
    BAD_HOURS = "bad_hours"
    BAD_POLYGON = "bad_polygon"
    CROSSING_POLYGON = "crossing_polygon"
    BAD_PATH = "bad_path"
    BAD_MASK = "bad_mask"
    TOO_MANY_MASKS = "too_many_masks"
    OUTSIDE_PICTURE = "outside_picture"
    CROSSING_MASK = "crossing_mask"
    FLAT_MASK = "flat_mask"
    BAD_CLOCK_BOX = "bad_clock_box"
    SMALL_CLOCK = "small_clock"
    BAD_CLOCK_FORMAT = "bad_clock_format"
    BAD_ZONE = "bad_zone"
    HALF_POSITION = "half_position"
    UNKNOWN_REFERENCE = "unknown_reference"
    AMBIGUOUS_REFERENCE = "ambiguous_reference"
    LOOP = "loop"
    CREDENTIAL_TWICE = "credential_twice"
    HALF_CREDENTIAL = "half_credential"
    UNKNOWN_COLUMN = "unknown_column"
    UNUSED_CELL = "unused_cell"
    SHEET_SKIPPED = "sheet_skipped"
    CODE_OF_OTHER_KIND = "code_of_other_kind"
    CODE_LOOKS_ROUNDED = "code_looks_rounded"
    SHARED_ADDRESS = "shared_address"
    NO_NETWORKS = "no_networks"
    SITE_WITHOUT_VIEWS = "site_without_views"
    NO_HOST = "no_host"


class Severity(StrEnum):
    """Whether a problem keeps the whole file out of the register, or is only worth a look."""

    ERROR = "error"
    WARNING = "warning"


WARNINGS = frozenset(
    {
        Flaw.UNKNOWN_COLUMN,
        Flaw.UNUSED_CELL,
        Flaw.SHEET_SKIPPED,
        Flaw.CODE_OF_OTHER_KIND,
        Flaw.CODE_LOOKS_ROUNDED,
        Flaw.SHARED_ADDRESS,
        Flaw.NO_NETWORKS,
        Flaw.SITE_WITHOUT_VIEWS,
        Flaw.NO_HOST,
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One flaw at one place. ``row`` counts from 1 as a spreadsheet does (0: the whole sheet), ``column`` is the
    header as it is written in the file, or the name of the field that it ``lacks`` a column for; ``value`` what stands
    in the cell, or empty where it may be a secret. ``details`` fill the placeholders of the texts."""

    flaw: Flaw
    sheet: str = ""
    row: int = 0
    column: str = ""
    value: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    lacks: bool = False

    @property
    def severity(self) -> Severity:
        return Severity.WARNING if self.flaw in WARNINGS else Severity.ERROR


class BadCell(Exception):
    """A cell that can't be what its column holds."""

    def __init__(self, flaw: Flaw, **details: str) -> None:
        super().__init__(flaw)
        self.flaw = flaw
        self.details = details
