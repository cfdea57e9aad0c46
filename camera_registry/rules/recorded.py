"""This file decides what is known of recordings over time, from what runs say of the last day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from camera_registry.model.observation import Facts
from camera_registry.model.policy import RecordingPolicy
from camera_registry.model.recording import Gap, Lack, NotComputable, Recording, Searched
from camera_registry.rules.recording import expected, maps

MOST_GAPS = 1000
"""Gaps kept of one recording. What lies before the newest so many is forgotten as if it had never been known."""


def searched(facts: Facts, policy: RecordingPolicy) -> Iterator[Searched]:
    """What a run tells of each recording that something should be written into.

    A recorder tells of a file when it is closed, so what lies between its newest picture and now is not known; once
    that picture is older than policy allows, nothing has been recorded since.
    """
    for one in expected(facts):
        token, name = one.get("token"), one.get("name")
        since, until, asked = (_moment(one.get(key)) for key in ("searched_from", "latest", "asked"))
        if not isinstance(token, str) or since is None or until is None or asked is None or since >= until:
            continue
        gaps = [_gap(gap, since) for gap in maps(one.get("gaps"))]
        if asked - until > timedelta(seconds=policy.age_limit):
            gaps.append(Gap(until, asked))
            until = asked
        yield Searched(token, str(name or ""), since, until, joined(gap for gap in gaps if gap is not None))


def expected_tokens(facts: Facts) -> frozenset[str] | None:
    """The recordings that something should be written into; None where the device did not tell its recordings."""
    if "recordings" not in facts:
        return None
    return frozenset(str(one.get("token")) for one in expected(facts))


def fold(device: str, known: Recording | None, seen: Searched) -> Recording:
    """What is known after one more run. What it searched replaces what was known of that time.

    A gap that reaches into the searched time from before it goes on where the run finds one there. Where it finds none,
    its end counts as it was measured, if that was no more exact than the difference; else the recorder has got the
    pictures since.
    """
    if known is None:
        return Recording(device, seen.token, seen.name, seen.since, seen.until, gaps=seen.gaps)
    goes_on = any(gap.since <= seen.since for gap in seen.gaps)
    kept: list[Gap] = []
    for gap in known.gaps:
        beyond = gap.until - seen.since
        if goes_on or beyond > timedelta(seconds=gap.resolution):
            kept.append(replace(gap, until=min(gap.until, seen.since)))
        elif gap.since < seen.since:
            kept.append(gap)
        if gap.until > seen.until:
            kept.append(replace(gap, since=max(gap.since, seen.until)))
    if known.until < seen.since:
        kept.append(Gap(known.until, seen.since, Lack.UNKNOWN))
    gaps = joined([*kept, *seen.gaps])
    since = min(known.since, seen.since)
    if len(gaps) > MOST_GAPS:
        since, gaps = gaps[-MOST_GAPS - 1].until, gaps[-MOST_GAPS:]
    return Recording(device, seen.token, seen.name, since, max(known.until, seen.until), gaps=gaps)


def joined(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """Gaps in order; those of a kind that touch are one."""
    found: list[Gap] = []
    for gap in sorted(gaps, key=lambda gap: (gap.since, gap.until)):
        if gap.since >= gap.until:
            continue
        last = found[-1] if found else None
        if last is not None and last.lack is gap.lack and gap.since <= last.until:
            exactness = max(last.resolution, gap.resolution)
            found[-1] = replace(last, until=max(last.until, gap.until), resolution=exactness)
        else:
            found.append(gap)
    return tuple(found)


def why_not(facts: Facts) -> NotComputable | None:
    """Why it can't be told what a device recorded, by its newest facts; None: it can, at least of some recordings."""
    if not facts:
        return NotComputable.NO_ANSWER
    if facts.get("profile_g") is False:
        return NotComputable.NO_SERVICE
    if "clock_offset_seconds" not in facts:
        return NotComputable.NO_CLOCK
    recordings = list(expected(facts))
    if not recordings:
        return NotComputable.NOTHING
    if any(one.get("searched_from") for one in recordings):
        return None
    told = [one for one in recordings if "gap_seconds" in one]
    return (
        NotComputable.NO_PRESENCE
        if told and all(one["gap_seconds"] is None for one in told)
        else (NotComputable.SEARCHING)
    )


def _gap(told: Mapping[str, object], since: datetime) -> Gap | None:
    begin, end, resolution = _moment(told.get("from")), _moment(told.get("to")), told.get("resolution_seconds")
    if begin is None or end is None:
        return None
    exactness = float(resolution) if isinstance(resolution, int | float) else 0.0
    return Gap(max(begin, since), end, resolution=exactness)


def _moment(told: object) -> datetime | None:
    if not isinstance(told, str):
        return None
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
