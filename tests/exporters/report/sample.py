"""A document with one cell of every kind, and text that a hostile device chose."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from exporters.report.document import Chart, ChartKind, Column, Document, Fact, Ratio, Section, Table

HOSTILE = "=cmd|'/c calc'!A1"


def sample(language: str = "en") -> Document:
    """The document."""
    table = Table(
        "devices",
        "Devices [all]: by/rate?",
        (
            Column("device", "Device", 20),
            Column("rate", "Online rate", numeric=True),
            Column("lost", "Lost", numeric=True),
            Column("outages", "Outages", numeric=True),
            Column("mean", "Mean", numeric=True),
            Column("since", "Since", 20),
            Column("installed", "Installed"),
        ),
        (
            (
                HOSTILE,
                Ratio(0.999999),
                timedelta(hours=30, milliseconds=5),
                1234,
                2.5,
                datetime(2026, 10, 1, 16, tzinfo=UTC),
                date(2020, 2, 29),
            ),
            ("<script>x</script>\ud800\x07", None, timedelta(0), 0, float("nan"), None, None),
        ),
    )
    return Document(
        "availability",
        "Monthly availability",
        language,
        ZoneInfo("Asia/Shanghai"),
        (
            Fact("formula", "Formula", "online / (period - excluded - unknown)"),
            Fact("unknown", "Unknown", Ratio(0.0125)),
        ),
        (
            Section(
                "By device",
                ("A paragraph.",),
                (Chart(ChartKind.BAR, "Rates", "devices", "device", ("rate",)),),
                (table,),
            ),
        ),
        ("A note.",),
        ("Checked by", "Date"),
    )
