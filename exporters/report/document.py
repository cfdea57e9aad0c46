"""The document that a report is before it has a format: facts, sections, tables of typed cells, charts, a signature.

All its texts are in the reader's language already. Names (``id``, ``name``) are for programs and stay the same in
every language.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share; 1 is all of it."""

    value: float


def ratio(value: float | None) -> Ratio | None:
    """A share, where it is known."""
    return None if value is None else Ratio(value)


Cell: TypeAlias = str | int | float | Ratio | timedelta | datetime | date | None
"""What a cell can hold; None is "nothing to say", shown as a dash and never as 0. Instants are aware."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``width`` is in characters; what is ``numeric`` stands at the right."""

    name: str
    title: str
    width: int = 12
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table; each row has a cell for each column. ``total`` is a last row of sums. ``printed``: rows that a printed
    page shows at most, the others stand in the other formats alone; None: all."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()
    note: str = ""
    printed: int | None = None

    @property
    def left_out(self) -> int:
        """Rows that a printed page does not show."""
        return 0 if self.printed is None else max(0, len(self.rows) - self.printed)

    def place(self, name: str) -> int:
        """Where the column of that name stands."""
        return next(place for place, column in enumerate(self.columns) if column.name == name)


class ChartKind(StrEnum):
    """How a chart is drawn."""

    BAR = "bar"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of columns of a table: ``values`` over ``category``, of its first ``limit`` rows."""

    kind: ChartKind
    title: str
    table: str
    category: str
    values: tuple[str, ...]
    limit: int = 40


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a report's head: the formula, the period, the interval, the share of unknown, the data version."""

    name: str
    label: str
    value: Cell


@dataclass(frozen=True, slots=True)
class Section:
    """A part with a heading: paragraphs, then charts, then tables."""

    title: str
    paragraphs: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report. Times are shown in ``zone``; ``signatures`` are what stands below lines to sign on."""

    id: str
    title: str
    language: str
    zone: ZoneInfo
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table, in reading order."""
        return tuple(table for section in self.sections for table in section.tables)

    def table(self, id: str) -> Table:
        """The table of that name."""
        return next(table for table in self.tables if table.id == id)
