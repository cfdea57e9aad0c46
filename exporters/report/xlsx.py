"""Writes a report as a workbook: a first sheet with head, charts and notes, then a sheet for each table.

Device text is written by ``write_string`` alone, so nothing of it becomes a formula or a link.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from xlsxwriter import Workbook

from camera_registry.texts import Texts, texts
from exporters.report.cells import DASH, clean, clock, shown
from exporters.report.document import Cell, Chart, ChartKind, Document, Ratio, Table

_LONGEST = 32_767
"""Characters in a cell (Excel's specifications and limits)."""
_NAME = 31
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\'", "_"))
_A4 = 9
_CHART_ROWS = 16


def write(document: Document) -> bytes:
    """The document as a workbook."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(out, options) as book:
        book.set_properties({"title": clean(document.title)})
        _Writer(book, _styles(book), document, texts(document.language)).write()
    return out.getvalue()


def _styles(book: Workbook) -> dict[str, Any]:
    looks: dict[str, dict[str, object]] = {
        "title": {"bold": True, "font_size": 16},
        "heading": {"bold": True, "font_size": 12},
        "label": {"bold": True, "valign": "top"},
        "fact": {"text_wrap": True, "valign": "top", "align": "left"},
        "paragraph": {"text_wrap": True, "valign": "top"},
        "column": {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E8EDF2"},
        "sign": {"top": 1},
        "text": {},
        "dash": {"align": "right", "font_color": "#666666"},
        "count": {"num_format": "#,##0"},
        "number": {"num_format": "#,##0.00"},
        "ratio": {"num_format": "0.000%"},
        "length": {"num_format": "[h]:mm:ss.000"},
        "instant": {"num_format": "yyyy-mm-dd hh:mm:ss"},
        "day": {"num_format": "yyyy-mm-dd"},
    }
    made = {name: book.add_format(look) for name, look in looks.items()}
    made |= {f"total {name}": book.add_format({**look, "bold": True, "top": 1}) for name, look in looks.items()}
    return made


@dataclass(frozen=True, slots=True)
class _Writer:
    book: Workbook
    styles: dict[str, Any]
    document: Document
    words: Texts

    def write(self) -> None:
        first = self.book.add_worksheet(self.words("report.sheet"))
        sheets = {table.id: self.book.add_worksheet(name) for table, name in self._names()}
        for table in self.document.tables:
            self._table(sheets[table.id], table)
        self._first(first, {id: sheet.get_name() for id, sheet in sheets.items()})

    def _names(self) -> list[tuple[Table, str]]:
        taken = {self.words("report.sheet").lower(), "history"}
        named: list[tuple[Table, str]] = []
        for table in self.document.tables:
            name, number = clean(table.title).translate(_FORBIDDEN)[:_NAME], 1
            while name.lower() in taken:
                number += 1
                name = f"{name[: _NAME - 4]} {number}"
            taken.add(name.lower())
            named.append((table, name))
        return named

    def _first(self, sheet: Any, names: dict[str, str]) -> None:
        document, styles = self.document, self.styles
        self._print(sheet, document.title)
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 96)
        sheet.write_string(0, 0, clean(document.title)[:_LONGEST], styles["title"])
        row = 2
        for fact in document.facts:
            value = shown(fact.value, document.zone)[:_LONGEST]
            sheet.write_string(row, 0, clean(fact.label), styles["label"])
            sheet.write_string(row, 1, value, styles["fact"])
            sheet.set_row(row, 15 * _lines(value, 90))
            row += 1
        for section in document.sections:
            row += 1
            sheet.write_string(row, 0, clean(section.title)[:_LONGEST], styles["heading"])
            row = self._paragraphs(sheet, row + 1, section.paragraphs)
            for chart in section.charts:
                if len(document.table(chart.table).rows) > 1:
                    sheet.insert_chart(row, 0, self._chart(chart, names[chart.table]))
                    row += _CHART_ROWS
            for table in section.tables:
                told = self.words("report.on_sheet", table=clean(table.title), sheet=names[table.id])
                row = self._paragraphs(sheet, row, [told, *filter(None, [table.note])])
        row = self._paragraphs(sheet, row + 1, document.notes) + 3
        for signature in document.signatures:
            sheet.write_string(row, 0, clean(signature), styles["sign"])
            sheet.write_blank(row, 1, None, styles["sign"])
            row += 4

    def _paragraphs(self, sheet: Any, row: int, paragraphs: Any) -> int:
        for paragraph in paragraphs:
            text = clean(paragraph)[:_LONGEST]
            sheet.merge_range(row, 0, row, 1, "", self.styles["paragraph"])
            sheet.write_string(row, 0, text, self.styles["paragraph"])
            sheet.set_row(row, 15 * _lines(text, 112))
            row += 1
        return row

    def _table(self, sheet: Any, table: Table) -> None:
        self._print(sheet, table.title)
        for place, column in enumerate(table.columns):
            sheet.set_column(place, place, column.width)
            sheet.write_string(0, place, clean(column.title), self.styles["column"])
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        for number, row in enumerate(table.rows, start=1):
            for place, cell in enumerate(row):
                self._cell(sheet, number, place, cell)
        for place, cell in enumerate(table.total):
            self._cell(sheet, len(table.rows) + 1, place, cell, "total ")
        if table.rows:
            sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)

    def _cell(self, sheet: Any, row: int, place: int, cell: Cell, of: str = "") -> None:
        styles = self.styles
        match cell:
            case Ratio(value):
                sheet.write_number(row, place, value, styles[f"{of}ratio"])
            case timedelta() if cell < timedelta():
                # A spreadsheet knows no time below 0 and would show a fence of #.
                sheet.write_string(row, place, clock(cell), styles[f"{of}dash"])
            case timedelta():
                sheet.write_number(row, place, cell / timedelta(days=1), styles[f"{of}length"])
            case datetime():
                local = cell.astimezone(self.document.zone).replace(tzinfo=None)
                sheet.write_datetime(row, place, local, styles[f"{of}instant"])
            case date():
                sheet.write_datetime(row, place, datetime(cell.year, cell.month, cell.day), styles[f"{of}day"])  # noqa: DTZ001 - a spreadsheet's days have no zone
            case str():
                sheet.write_string(row, place, clean(cell)[:_LONGEST], styles[f"{of}text"])
            case int():
                sheet.write_number(row, place, cell, styles[f"{of}count"])
            case float() if math.isfinite(cell):
                sheet.write_number(row, place, cell, styles[f"{of}number"])
            case _:
                sheet.write_string(row, place, DASH, styles[f"{of}dash"])

    def _chart(self, chart: Chart, sheet: str) -> Any:
        table = self.document.table(chart.table)
        last = min(len(table.rows), chart.limit)
        category = table.place(chart.category)
        made: Any = self.book.add_chart({"type": "column" if chart.kind is ChartKind.BAR else "line"})
        for name in chart.values:
            place = table.place(name)
            made.add_series(
                {
                    "name": [sheet, 0, place],
                    "categories": [sheet, 1, category, last, category],
                    "values": [sheet, 1, place, last, place],
                }
            )
        made.set_x_axis({"num_format": "mm-dd", "num_font": {"size": 9}})
        if isinstance(next((row[table.place(chart.values[0])] for row in table.rows), None), Ratio):
            bounds = {"min": 0, "max": 1} if chart.kind is ChartKind.BAR else {}
            made.set_y_axis({"num_format": "0.00%", **bounds})
        made.set_title({"name": clean(chart.title), "name_font": {"size": 12}})
        made.set_legend({"position": "bottom"} if len(chart.values) > 1 else {"none": True})
        made.set_size({"width": 860, "height": (_CHART_ROWS - 1) * 20})
        return made

    def _print(self, sheet: Any, title: str) -> None:
        sheet.set_paper(_A4)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.75, bottom=0.6)
        # An ampersand begins a code there, and the whole may have 255 characters.
        name = clean(title).replace("&", "&&")
        whole = clean(self.document.title).replace("&", "&&")
        sheet.set_header(f"&L{whole[:110]}&R{name[:110]}")
        sheet.set_footer(f"&R{self.words('report.page', page='&P', pages='&N')}")


def _lines(text: str, width: int) -> int:
    """Lines that a text needs in a column; a Chinese character is two wide."""
    return sum(1 + sum(2 if ord(letter) > 0x2E7F else 1 for letter in line) // width for line in text.split("\n"))
