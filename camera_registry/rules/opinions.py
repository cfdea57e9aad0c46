"""This file decides whose word counts where several probes speak of one aspect: it is as bad as its worst feeder.

The newest reading of each feeder is its opinion, and holds for as long as a state fed by it alone would: 2.5 of its own
intervals. A better opinion does not count while a worse one holds, so two feeders that disagree give one fault, and
never one that comes and goes. An aspect is stale when nobody's opinion holds any more that bears out its state: a
feeder that speaks only at times (a clock told by media that happened to be played) must not make unknown what another
one has just confirmed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from camera_registry.model.health import Cause, Reading
from camera_registry.model.policy import Policy

_RANK = {cause: rank for rank, cause in enumerate(Cause)}
"""The list of causes begins with what keeps one from asking at all and ends with what is only worth knowing."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one feeder said last (``cause`` None: all is well), and until when that holds."""

    cause: Cause | None
    until: datetime


def opinion(reading: Reading, interval: float, policy: Policy) -> Opinion:
    """The opinion that a feeder asked every ``interval`` seconds has by this reading."""
    return Opinion(reading.cause, reading.at + timedelta(seconds=interval * policy.stale_intervals))


def counts(reading: Reading, others: Iterable[Opinion], now: datetime) -> bool:
    """Whether no other feeder's opinion that still holds is worse."""
    return all(other.until < now or _rank(other.cause) >= _rank(reading.cause) for other in others)


def bears_out(opinions: Iterable[Opinion], good: bool | None, now: datetime) -> bool:
    """Whether somebody's opinion that still holds is as the state's newest reading was."""
    return any(one.until >= now and (one.cause is None) == good for one in opinions)


def _rank(cause: Cause | None) -> int:
    return len(_RANK) if cause is None else _RANK[cause]
