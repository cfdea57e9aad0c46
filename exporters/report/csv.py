"""Writes a report as CSV: one table as a plain file, or the whole report with its tables one below the other.

The byte order mark is for spreadsheets, which take a file without it for their own system's encoding.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from exporters.report.cells import harmless, plain
from exporters.report.document import Cell, Document, Table


def write(document: Document, table: str = "") -> bytes:
    """The whole document, or the table of that name alone. Raises StopIteration for a table that is not there."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    if table:
        _rows(writer, document, document.table(table))
        return _bytes(out)
    writer.writerow([harmless(document.title)])
    for fact in document.facts:
        writer.writerow([harmless(fact.label), _field(document, fact.value)])
    for section in document.sections:
        writer.writerow([])
        writer.writerow([harmless(section.title)])
        for paragraph in section.paragraphs:
            writer.writerow([harmless(paragraph)])
        for one in section.tables:
            writer.writerow([])
            writer.writerow([harmless(one.title)])
            _rows(writer, document, one)
            for note in filter(None, [one.note]):
                writer.writerow([harmless(note)])
    for note in document.notes:
        writer.writerow([])
        writer.writerow([harmless(note)])
    return _bytes(out)


def _rows(writer: Any, document: Document, table: Table) -> None:
    writer.writerow([harmless(column.title) for column in table.columns])
    writer.writerows([_field(document, cell) for cell in row] for row in table.rows)
    if table.total:
        writer.writerow([_field(document, cell) for cell in table.total])


def _field(document: Document, cell: Cell) -> object:
    found = plain(cell, document.zone)
    return harmless(found) if isinstance(found, str) else found


def _bytes(out: io.StringIO) -> bytes:
    return out.getvalue().encode("utf-8-sig")
