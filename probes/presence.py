"""This file keeps when a recording is known to have pictures and when not, finds what to ask next, and tells the gaps.

Times are seconds since the epoch by our own clock. Between two moments of the same kind nothing is assumed to change:
what is shorter than the distance of questions may be missed, and each gap says how exactly its ends are known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

DAY = 86_400.0
SPACING = 1800.0
"""Seconds between the moments that are always asked about; multiples of it, so that all recordings share them."""
RESOLUTION = 60.0
"""Seconds to which the ends of a gap are narrowed down."""
MOST = 600
"""Moments that are remembered of one recording."""
MOST_GAPS = 32
"""Gaps of one recording that are told, the newest."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without pictures; each end is known to within ``resolution`` seconds."""

    begin: float
    end: float
    resolution: float

    @property
    def length(self) -> float:
        return self.end - self.begin


@dataclass(slots=True)
class Trace:
    """What is known of one recording. ``moments``: whether there are pictures then; ``hints``: moments that deserve a
    question; ``earliest`` and ``latest`` of what it holds, as told at ``asked``."""

    moments: dict[float, bool] = field(default_factory=dict)
    hints: set[float] = field(default_factory=set)
    earliest: float | None = None
    latest: float | None = None
    asked: float = 0.0

    def hold(self, earliest: float | None, latest: float | None, now: float) -> None:
        """Take up what the recording holds now.

        Where its newest picture lagged behind when it was last asked, it may have stood still: some devices only tell
        late what they have, so that time is asked about, not condemned.
        """
        if self.latest is not None and latest is not None and latest > self.latest:
            behind = self.asked - self.latest
            if behind > 2 * RESOLUTION:
                self.hints.add(self.latest + behind / 2)
        self.earliest, self.latest, self.asked = earliest, latest, now
        begin = self._begin(now)
        if begin is not None:
            self.moments = {moment: seen for moment, seen in self.moments.items() if moment >= begin}
        self.hints = {moment for moment in self.hints if begin is not None and moment >= begin}

    def note(self, moment: float, present: bool) -> None:
        """Keep an answer about one moment."""
        self.hints.discard(moment)
        if len(self.moments) < MOST:
            self.moments[moment] = present

    def note_span(self, since: float, until: float) -> None:
        """Keep that there are pictures all the time between; no more than a day of it matters."""
        since = max(since, until - DAY)
        for number in range(int(since // SPACING) + 1, int(until // SPACING) + 1):
            self.note(number * SPACING, present=True)
        self.note(since, present=True)
        self.note(until, present=True)

    def questions(self, now: float) -> list[float]:
        """The moments to ask about, most wanted first: what was noticed, where presence changes, the newest first."""
        begin = self._begin(now)
        if begin is None or self.latest is None:
            return []
        hints = [moment for moment in self.hints if begin <= moment < self.latest]
        between = [
            (one + other) / 2
            for (one, before), (other, after) in pairwise(self._known(begin))
            if before != after and other - one > RESOLUTION
        ]
        return hints + between[::-1] + self._unasked(begin, self.latest)

    def searched(self, now: float) -> float | None:
        """From when on, until its newest picture, everything is known that questions can tell, and told as gaps; None
        if nothing is."""
        begin, gaps = self._begin(now), self.gaps(now)
        if begin is None or self.latest is None or gaps is None:
            return None
        since = max([begin, *self._unasked(begin, self.latest)])
        if len(gaps) == MOST_GAPS:
            since = max(since, gaps[0].begin)
        return since if since < self.latest else None

    def gaps(self, now: float) -> list[Gap] | None:
        """Gaps of the last day, oldest first; None if it can't be told: the device never says that it has something."""
        begin = self._begin(now)
        if begin is None or not any(self.moments.values()):
            return None
        known = self._known(begin)
        found: list[Gap] = []
        # What is missing at the beginning of the day was missing before it.
        missing = (begin, begin) if known and not known[0][1] else None
        for (one, before), (other, after) in pairwise(known):
            if before and not after:
                missing = one, other
            elif after and missing is not None:
                present, absent = missing
                found.append(Gap((present + absent) / 2, (one + other) / 2, max(absent - present, other - one)))
                missing = None
        return found[-MOST_GAPS:]

    def _unasked(self, begin: float, end: float) -> list[float]:
        """The spaced moments that have not been asked about, newest first."""
        first, last = int(begin // SPACING) + 1, int(end // SPACING)
        spaced = (number * SPACING for number in range(last, first - 1, -1))
        return [moment for moment in spaced if moment not in self.moments]

    def _begin(self, now: float) -> float | None:
        """From when on something should be there: for a day, if it holds that much."""
        return None if self.earliest is None else max(self.earliest, now - DAY)

    def _known(self, begin: float) -> list[tuple[float, bool]]:
        """What is known from ``begin`` on, in order. The oldest and the newest are there by the device's own word."""
        earliest, latest = self.earliest, self.latest
        if earliest is None or latest is None:
            return []
        known = {moment: seen for moment, seen in self.moments.items() if begin <= moment < latest}
        if earliest >= begin:
            known[earliest] = True
        return sorted((known | {latest: True}).items())
