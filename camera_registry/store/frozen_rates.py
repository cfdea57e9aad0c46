"""Keeps the figures of availability and of contractors that are frozen: exact sums, and what work orders came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from camera_registry.model.rates import SUMS, Sums
from camera_registry.rules.availability import Period
from camera_registry.rules.performance import Score
from camera_registry.store import freezes
from camera_registry.store.freezes import Freeze

_INSTANT = timedelta(microseconds=1)
_LENGTHS = frozenset({"repair_time", "held"})
RATES, SCORECARD = "availability", "contractors"
"""What they are kept as."""


@dataclass(frozen=True, slots=True)
class FrozenRates:
    """The sums of every device as they were frozen."""

    freeze: Freeze
    sums: Mapping[str, Sums]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """What contractors are held to: by contractor the sums of each device while it was theirs, and what their work
    orders came to."""

    sums: Mapping[str, Mapping[str, Sums]]
    work: Mapping[str, Score]

    def total(self, contractor: str) -> Sums:
        """The sums of all its devices."""
        return sum(self.sums.get(contractor, {}).values(), Sums())


def freeze(
    tx: Connection, period: Period, version: str, sums: Mapping[str, Sums], *, author: str, at: datetime
) -> bool:
    """Keep the sums of every device; False when they are kept already, and stay as they are."""
    told = {"devices": len(sums)}
    return freezes.keep(tx, RATES, period, version, _plain(sums), told, author=author, at=at)


def frozen(tx: Connection, period: Period) -> FrozenRates | None:
    """What was kept of a period, or None."""
    found = freezes.kept(tx, RATES, period)
    return None if found is None else FrozenRates(found[0], _sums(found[1]))


def freeze_scorecard(
    tx: Connection, period: Period, version: str, scorecard: Scorecard, *, author: str, at: datetime
) -> bool:
    """Keep what contractors are held to; False when it is kept already, and stays as it is."""
    figures = {
        "sums": {contractor: _plain(sums) for contractor, sums in scorecard.sums.items()},
        "work": {contractor: _work(score) for contractor, score in scorecard.work.items()},
    }
    told = {"contractors": len(scorecard.work)}
    return freezes.keep(tx, SCORECARD, period, version, figures, told, author=author, at=at)


def frozen_scorecard(tx: Connection, period: Period) -> tuple[Freeze, Scorecard] | None:
    """What was kept of a period, or None."""
    found = freezes.kept(tx, SCORECARD, period)
    if found is None:
        return None
    sums = {contractor: _sums(kept) for contractor, kept in found[1]["sums"].items()}
    return found[0], Scorecard(sums, {contractor: _score(kept) for contractor, kept in found[1]["work"].items()})


def _plain(sums: Mapping[str, Sums]) -> dict[str, list[int]]:
    return {device: [getattr(one, part) for part in SUMS] for device, one in sums.items()}


def _sums(kept: Mapping[str, list[int]]) -> dict[str, Sums]:
    return {device: Sums(*parts) for device, parts in kept.items()}


def _work(score: Score) -> dict[str, int]:
    values = {field.name: getattr(score, field.name) for field in fields(Score)}
    return {name: value // _INSTANT if name in _LENGTHS else value for name, value in values.items()}


def _score(kept: Mapping[str, int]) -> Score:
    values: dict[str, Any] = {
        name: timedelta(microseconds=value) if name in _LENGTHS else value for name, value in kept.items()
    }
    return Score(**values)
