"""Writes a report as JSON: facts by name, tables by name, rows as objects by the names of columns."""

from __future__ import annotations

import orjson

from exporters.report.cells import plain
from exporters.report.document import Document


def write(document: Document) -> bytes:
    """The document as one JSON object."""
    zone = document.zone
    tables = {
        table.id: {
            "title": table.title,
            "columns": [{"name": column.name, "title": column.title} for column in table.columns],
            "rows": [
                {column.name: plain(cell, zone) for column, cell in zip(table.columns, row, strict=True)}
                for row in table.rows
            ],
        }
        for table in document.tables
    }
    told = {
        "report": document.id,
        "title": document.title,
        "language": document.language,
        "time_zone": zone.key,
        "facts": {fact.name: plain(fact.value, zone) for fact in document.facts},
        "notes": list(document.notes),
        "tables": tables,
    }
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)
