"""This file puts what reports have in common into words: heads, columns, and cells of sums."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from camera_registry.model.rates import Measure, Sums
from camera_registry.rules.availability import Period
from camera_registry.store.freezes import Freeze
from camera_registry.store.measuring import Measured
from camera_registry.texts import Texts
from exporters.report.document import Cell, Column, Fact, ratio

RATES = ("online", "intact", "recording")
_PARTS = ("online_good", "online_bad", "online_parent", "online_unknown", "maintenance", "idle")


@dataclass(frozen=True, slots=True)
class Writing:
    """For whom and when a report is made. ``intervals`` are the seconds between two looks, by probe; ``asked`` says in
    words what was chosen (an area, a contractor), or nothing."""

    words: Texts
    now: datetime
    intervals: str
    asked: str = ""

    def columns(self, *names: str) -> tuple[Column, ...]:
        """Columns by name; what holds numbers or lengths stands at the right."""
        return tuple(
            Column(name, self.words(f"report.column.{name}"), _WIDTHS.get(name, 14), numeric=name not in _WORDS)
            for name in names
        )

    def sums(self) -> tuple[Column, ...]:
        """The columns of ``cells``."""
        return self.columns(*RATES, *_PARTS, "unknown", "outages", "mean_outage")

    def facts(self, measured: Measured, formulas: tuple[str, ...]) -> tuple[Fact, ...]:
        """The head of a report: what it says, of when, on what grounds."""
        period, words = measured.period, self.words
        total = sum(measured.sums.values(), Sums())
        local = [at.astimezone(period.zone) for at in (period.begins, period.ends)]
        length = words.duration(period.ends - period.begins)
        told: list[tuple[str, Cell]] = [
            ("period", f"{period.name} ({local[0]:%Y-%m-%d %H:%M:%S} – {local[1]:%Y-%m-%d %H:%M:%S}, {length})"),
            ("zone", period.zone.key),
            ("formula", "\n".join(words(f"report.formula.{formula}") for formula in formulas)),
            ("interval", self.intervals),
            ("devices", len(measured.devices)),
            ("unknown", ratio(total.unknown(Measure.ONLINE))),
            ("heard", measured.heard),
            ("version", measured.version),
            ("made", self.now),
        ]
        if self.asked:
            told.insert(1, ("asked", self.asked))
        return tuple(Fact(name, words(f"report.fact.{name}"), value) for name, value in told)

    def frozen(self, freeze: Freeze, period: Period) -> Fact:
        """That its figures were frozen: when, by whom, on what grounds."""
        at = f"{freeze.at.astimezone(period.zone):%Y-%m-%d %H:%M:%S}"
        told = self.words("report_frozen.told", period=period.name, at=at, by=freeze.by, version=freeze.version)
        return Fact("frozen", self.words("report.fact.frozen"), told)


def cells(sums: Sums) -> tuple[Cell, ...]:
    """One row of figures: rates, whose time it was, the share of unknown, outages."""
    mean = sums.mean_outage
    return (
        *(ratio(sums.rate(measure)) for measure in Measure),
        *(length(getattr(sums, part)) for part in _PARTS),
        ratio(sums.unknown(Measure.ONLINE)),
        sums.outages,
        None if mean is None else length(round(mean / 1000) * 1000),
    )


def length(microseconds: int) -> timedelta:
    """A sum as a length of time."""
    return timedelta(microseconds=microseconds)


_WORDS = frozenset(
    {
        "device",
        "name",
        "area",
        "site",
        "contractor",
        "group",
        "kind",
        "why",
        "about",
        "field",
        "flaw",
        "found",
        "against",
        "begins",
        "ends",
        "last",
        "day",
        "recording_name",
        "channel",
        "light",
        "since",
        "due",
        "figure",
    }
)
_WIDTHS = {
    "device": 22,
    "name": 28,
    "group": 28,
    "site": 22,
    "area": 18,
    "contractor": 18,
    "about": 30,
    "found": 28,
    "against": 28,
    "recording_name": 24,
    "begins": 20,
    "ends": 20,
    "last": 20,
    "day": 12,
    "figure": 24,
}
