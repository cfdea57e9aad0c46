"""What the pictures of a device were like over weeks: the same for the API and for its page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any

from camera_registry.board import BoardEntry
from camera_registry.console import accepting
from camera_registry.console.routing import Asked
from camera_registry.model.baseline import Regime
from camera_registry.model.health import LENS
from camera_registry.model.trend import Drift, PictureDay, Untold
from camera_registry.rules.pictures import drift as drifting
from camera_registry.rules.pictures import trend
from camera_registry.store import orders, picture_days
from camera_registry.store.orders import Wanted

_ORDERS = 100


class MarkKind(StrEnum):
    """What people did that trends begin with."""

    ACCEPTED = "accepted"
    CLEANED = "cleaned"


@dataclass(frozen=True, slots=True)
class Mark:
    """A day on which somebody said how the view should look, or on which the lens was found clean after work."""

    day: date
    kind: MarkKind


@dataclass(frozen=True, slots=True)
class Line:
    """One channel in one light, oldest day first; the last may be today, which goes on. ``why`` there is no
    ``drift``."""

    channel: str
    light: Regime
    days: Sequence[PictureDay]
    drift: Drift | None
    why: Untold | None
    marks: Sequence[Mark]


async def lines(asked: Asked[Any, Any], entry: BoardEntry) -> Sequence[Line]:
    """Every line of a device, as far back as is kept."""
    deps, device = asked.deps, entry.device.id
    today = deps.now().astimezone(deps.zone()).date()
    since = today - timedelta(days=deps.settings().storage.picture_days)
    kept = await deps.store.read(picture_days.of, device, since)
    open_days = [
        one for run in entry.probes for one in trend.so_far(device, run.channel, run.facts)
        if run.channel in accepting.channels(entry)
    ]  # fmt: skip
    whole = {(one.channel, one.regime, one.day): one for one in (*kept, *open_days)}
    order = sorted(whole, key=lambda key: (key[0], list(Regime).index(key[1]), key[2]))
    cleaned = await _cleaned(asked, device)
    drifts = {run.channel: found for run in entry.probes if (found := trend.drifts(run.facts))}
    return [
        _line(asked, device, key, [whole[one] for one in some], drifts.get(key[0], {}).get(key[1]), cleaned)
        for key, some in groupby(order, key=lambda one: one[:2])
    ]


def _line(
    asked: Asked[Any, Any],
    device: str,
    key: tuple[str, Regime],
    days: Sequence[PictureDay],
    drift: Drift | None,
    cleaned: Sequence[tuple[str, date]],
) -> Line:
    channel, light = key
    accepted = asked.deps.gallery.of(device, channel)
    marks = {Mark(one.accepted_at.astimezone(asked.deps.zone()).date(), MarkKind.ACCEPTED) for one in accepted}
    marks |= {Mark(day, MarkKind.CLEANED) for of, day in cleaned if of in ("", channel)}
    if drift is None:
        # Nothing was judged since the days were written.
        policy = asked.deps.settings().health.policy().base.picture.lens
        drift = drifting.drift([one for one in days if one.begins == days[-1].begins], days[-1].usual, policy)
    why = None if drift is not None else Untold.TOO_FEW_DAYS if accepted else Untold.NOT_ACCEPTED
    return Line(channel, light, days, drift, why, sorted(marks, key=lambda one: (one.day, one.kind)))


async def _cleaned(asked: Asked[Any, Any], device: str) -> Sequence[tuple[str, date]]:
    """On which days work on the lens of which channel was verified; no channel: of them all."""
    known = await asked.deps.store.read(orders.page, Wanted(about=device), limit=_ORDERS)
    return [
        (channel, one.verified_at.astimezone(asked.deps.zone()).date())
        for one in known
        if one.cause in LENS and one.verified_at is not None
        for channel in {symptom.channel for symptom in one.symptoms} or {""}
    ]


def spans(line: Line) -> Iterator[Sequence[PictureDay]]:
    """The days of a line in stretches between marks and gaps of more than a week."""
    some: list[PictureDay] = []
    for one in line.days:
        if some and (one.begins != some[-1].begins or (one.day - some[-1].day).days > 7):
            yield some
            some = []
        some.append(one)
    if some:
        yield some
