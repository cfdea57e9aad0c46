"""Reports in every format: typed cells stay typed, device text stays text."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import shutil
from dataclasses import replace
from datetime import datetime, timedelta

import openpyxl
import pytest

from exporters.report import html, pdf
from exporters.report.catalog import render
from exporters.report.cells import clock, harmless, percent
from exporters.report.csv import write as write_csv
from tests.exporters.report.sample import HOSTILE, sample


def test_a_workbook_holds_numbers_as_numbers_and_device_text_as_text() -> None:
    book = openpyxl.load_workbook(io.BytesIO(render(sample(), "xlsx")))
    first, devices = book.worksheets
    assert first["A1"].value == "Monthly availability"
    assert devices.title == "Devices _all__ by_rate_"
    assert devices.freeze_panes == "B2"
    assert devices.print_title_rows == "$1:$1"
    row = devices[2]
    assert (row[0].value, row[0].data_type) == (HOSTILE, "s")
    assert row[1].value == 0.999999
    assert row[2].value == timedelta(hours=30, milliseconds=5)
    assert row[3].value == 1234
    # In the report's zone, which is eight hours ahead of UTC.
    assert row[5].value == datetime.fromisoformat("2026-10-02")
    assert row[6].value == datetime.fromisoformat("2020-02-29")
    assert devices["B3"].value == "–"
    assert len(first._charts) == 1


def test_csv_guards_against_formulas_and_reads_back() -> None:
    whole = render(sample(), "csv")
    assert whole.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(write_csv(sample(), "devices").decode("utf-8-sig"))))
    assert rows[0][0] == "Device"
    assert rows[1] == [
        f"'{HOSTILE}", "0.999999", "108000.005", "1234", "2.5", "2026-10-02T00:00:00+08:00", "2020-02-29",
    ]  # fmt: skip
    assert rows[2][1] == ""


def test_a_page_holds_no_script_and_no_style_but_the_one_its_policy_names() -> None:
    page = render(sample("zh"), "html").decode()
    assert 'lang="zh-CN"' in page
    assert "<script" not in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert "style=" not in page
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in html.POLICY
    assert "99.999 %" in page
    assert "<svg" in page


def test_paper_holds_the_first_rows_and_says_how_many_more_stand_elsewhere() -> None:
    document = sample()
    (section,) = document.sections
    short = replace(section, tables=(replace(section.tables[0], printed=1),))
    page = render(replace(document, sections=(short,)), "html").decode("utf-8")
    printed = page.partition("<tbody>")[2]
    assert HOSTILE[:4] in printed
    assert "&lt;script&gt;" not in printed
    assert "1 more rows stand in the workbook" in page
    assert len(json.loads(render(replace(document, sections=(short,)), "json"))["tables"]["devices"]["rows"]) == 2


def test_json_is_read_by_names() -> None:
    told = json.loads(render(sample(), "json"))
    assert told["facts"] == {"formula": "online / (period - excluded - unknown)", "unknown": 0.0125}
    first, second = told["tables"]["devices"]["rows"]
    assert first["device"] == HOSTILE
    assert first["lost"] == 108000.005
    assert second["mean"] is None


def test_pdf_says_what_is_missing_where_there_is_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(pdf.NoBrowser, match="chromium"):
        render(sample(), "pdf")


def test_a_signed_number_stays_one_and_a_formula_becomes_text() -> None:
    assert [harmless(text) for text in ("-0.126", "+5.000", "-1+cmd|x", "=1", "-")] == [
        "-0.126", "+5.000", "'-1+cmd|x", "'=1", "'-",
    ]  # fmt: skip


def test_a_share_is_never_rounded_up() -> None:
    assert percent(0.9999999) == "99.999 %"
    assert percent(0.29) == "29.000 %"
    assert percent(1.0) == "100.000 %"
    assert clock(timedelta(hours=-1, milliseconds=-2)) == "-1:00:00.002"
