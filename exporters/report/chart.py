"""This file draws charts for pages: SVG with attributes alone, because a strict content policy refuses inline style."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from exporters.report.cells import shown
from exporters.report.document import Cell, Chart, ChartKind, Ratio, Table

_WIDTH = 900
_HEIGHT = 240
_LEFT = 70
_RIGHT = 30
"""Room for the half of the last label."""
_TOP = 12
_FOOT = 44
_INKS = ("#1f5f99", "#b4552d", "#4a7a3a", "#7a4a8a")
_MOST_LABELS = 16


def draw(chart: Chart, table: Table, zone: ZoneInfo) -> Markup:
    """The chart as an SVG element with a title for readers of screens; empty where there is nothing to compare."""
    rows = table.rows[: chart.limit]
    drawn = {place: [_number(row[place]) for row in rows] for place in map(table.place, chart.values)}
    # Of what nothing is known nothing is drawn, and no room kept: a month that has none before it.
    drawn = {place: series for place, series in drawn.items() if any(number is not None for number in series)}
    places, numbers = list(drawn), list(drawn.values())
    known = [number for series in numbers for number in series if number is not None]
    if len(rows) < 2 or not known:
        return Markup()
    ratio = isinstance(next(row[places[0]] for row in rows if row[places[0]] is not None), Ratio)
    # A bar's length is its value: it begins at 0.
    low, high = _range(known if chart.kind is ChartKind.LINE else [0.0, *known], ratio=ratio)
    parts = [Markup("<title>{}</title>").format(chart.title), *_scale(low, high, ratio=ratio)]
    step = (_WIDTH - _RIGHT - _LEFT) / len(rows)
    for index, series in enumerate(numbers):
        draw_series = _bars if chart.kind is ChartKind.BAR else _line
        parts += draw_series(series, (low, high), step, (index, len(numbers)))
    every = -(-len(rows) // _MOST_LABELS)
    category = table.place(chart.category)
    for place, row in enumerate(rows):
        if place % every == 0:
            parts.append(
                _text(_LEFT + step * (place + 0.5), _HEIGHT - _FOOT + 16, _label(row[category], zone), "middle")
            )
    for index, place in enumerate(places if len(chart.values) > 1 else ()):
        x = _LEFT + index * 200
        parts.append(
            Markup('<rect x="{}" y="{}" width="10" height="10" fill="{}"/>').format(x, _HEIGHT - 14, _INKS[index % 4])
        )
        parts.append(_text(x + 16, _HEIGHT - 5, table.columns[place].title, "start"))
    return Markup('<svg viewBox="0 0 {} {}" role="img">{}</svg>').format(_WIDTH, _HEIGHT, Markup().join(parts))


def _number(cell: Cell) -> float | None:
    match cell:
        case Ratio(value):
            return value
        case timedelta():
            return cell / timedelta(hours=1)
        case int() | float():
            return float(cell)
        case _:
            return None


def _range(known: list[float], *, ratio: bool) -> tuple[float, float]:
    """Shares stand between a round share below the least and 1; other numbers between 0 and the most."""
    if not ratio:
        return 0.0, max(known) or 1.0
    least = min(known)
    return next((low for low in (0.99, 0.95, 0.9, 0.8, 0.5) if least >= low), 0.0), max(1.0, *known)


def _y(value: float, span: tuple[float, float]) -> float:
    low, high = span
    return _HEIGHT - _FOOT - (max(value, low) - low) / (high - low) * (_HEIGHT - _FOOT - _TOP)


def _scale(low: float, high: float, *, ratio: bool) -> list[Markup]:
    parts: list[Markup] = []
    for quarter in range(5):
        value = low + (high - low) * quarter / 4
        y = _y(value, (low, high))
        parts.append(
            Markup('<line x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}" stroke="#cccccc"/>').format(
                _LEFT, _WIDTH - _RIGHT, y, y
            )
        )
        parts.append(_text(_LEFT - 6, y + 4, f"{value * 100:.2f} %" if ratio else f"{value:,.4g}", "end"))
    return parts


def _bars(series: list[float | None], span: tuple[float, float], step: float, place: tuple[int, int]) -> list[Markup]:
    index, of = place
    wide = step * 0.7 / of
    shape = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}"/>')
    return [
        shape.format(
            _LEFT + step * (number + 0.15) + wide * index,
            _y(value, span),
            wide,
            _HEIGHT - _FOOT - _y(value, span),
            _INKS[index % 4],
        )
        for number, value in enumerate(series)
        if value is not None
    ]


def _line(series: list[float | None], span: tuple[float, float], step: float, place: tuple[int, int]) -> list[Markup]:
    """One stroke for each run of known values: over the unknown there is no line."""
    ink = _INKS[place[0] % 4]
    runs: list[list[str]] = [[]]
    parts: list[Markup] = []
    for number, value in enumerate(series):
        if value is None:
            runs.append([])
            continue
        x, y = _LEFT + step * (number + 0.5), _y(value, span)
        runs[-1].append(f"{x:.1f},{y:.1f}")
        parts.append(Markup('<circle cx="{:.1f}" cy="{:.1f}" r="2.5" fill="{}"/>').format(x, y, ink))
    stroke = Markup('<polyline points="{}" fill="none" stroke="{}" stroke-width="2"/>')
    return [*(stroke.format(" ".join(run), ink) for run in runs if len(run) > 1), *parts]


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    shape = Markup('<text x="{:.1f}" y="{:.1f}" font-size="11" text-anchor="{}" fill="#333333">{}</text>')
    return shape.format(x, y, anchor, text)


def _label(cell: Cell, zone: ZoneInfo) -> str:
    label = f"{cell:%m-%d}" if isinstance(cell, date) and not isinstance(cell, datetime) else shown(cell, zone)
    return label if len(label) <= 12 else f"{label[:11]}…"
