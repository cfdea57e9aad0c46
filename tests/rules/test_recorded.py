"""What is known of recordings grows with each run, whatever part of a gap a run can see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from camera_registry.model.observation import Facts
from camera_registry.model.policy import RecordingPolicy
from camera_registry.model.recording import Gap, Lack, NotComputable, Recording, Searched
from camera_registry.rules.recorded import MOST_GAPS, fold, searched, why_not

START = datetime(2026, 10, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def gap(since: float, until: float, lack: Lack = Lack.MISSING, resolution: float = 60) -> Gap:
    return Gap(START + since * HOUR, START + until * HOUR, lack, resolution)


def run(since: float, until: float, *gaps: Gap) -> Searched:
    return Searched("r1", "gate", START + since * HOUR, START + until * HOUR, gaps)


def folded(*runs: Searched) -> Recording:
    known = None
    for seen in runs:
        known = fold("rec-1", known, seen)
    assert known is not None
    return known


def test_the_same_gap_in_each_run_is_kept_once() -> None:
    found = folded(run(0, 24, gap(10, 12)), run(0, 24, gap(10, 12)), run(1, 25, gap(10, 12)))
    assert found.gaps == (gap(10, 12),)
    assert (found.since, found.until) == (START, START + 25 * HOUR)


def test_a_gap_that_leaves_the_searched_day_keeps_its_length() -> None:
    # At hour 35 only what lies after hour 11 can be searched: the gap begins there for the run, at hour 10 in truth.
    assert folded(run(0, 24, gap(10, 12)), run(11, 35, gap(11, 12))).gaps == (gap(10, 12),)
    # Its last half minute is nearer to the border than its end was measured: it is not taken for pictures.
    late = 12 - 30 / 3600
    assert folded(run(0, 24, gap(10, 12)), run(late, 36)).gaps == (gap(10, 12),)
    assert folded(run(0, 24, gap(10, 12)), run(13, 37)).gaps == (gap(10, 12),)


def test_what_a_recorder_has_got_since_is_no_gap_any_more() -> None:
    assert folded(run(0, 24, gap(10, 12)), run(1, 25)).gaps == ()
    assert folded(run(0, 24, gap(10, 14)), run(11, 35)).gaps == (gap(10, 11),)


def test_a_gap_that_goes_on_grows_until_its_end_is_measured() -> None:
    first, second = run(0, 21, gap(20, 21, resolution=0)), run(0, 22, gap(20, 22, resolution=0))
    assert folded(first, second).gaps == (gap(20, 22, resolution=0),)
    assert folded(first, second, run(1, 25, gap(20.01, 23))).gaps == (gap(20.01, 23),)
    # It lasted longer than a day: the run sees its end alone.
    assert folded(first, second, run(40, 64, gap(40, 60))).gaps == (
        gap(20, 22, resolution=0),
        gap(22, 40, Lack.UNKNOWN, 0),
        gap(40, 60),
    )


def test_nobody_knows_what_was_overwritten_before_anybody_looked() -> None:
    found = folded(run(0, 24), run(30, 54))
    assert found.gaps == (gap(24, 30, Lack.UNKNOWN, 0),)


def test_gaps_are_bounded_and_what_is_forgotten_was_never_known() -> None:
    many = tuple(gap(number, number + 0.5) for number in range(MOST_GAPS + 5))
    found = folded(run(0, 2000, *many))
    found = fold("rec-1", found, run(2000, 2001))
    assert len(found.gaps) == MOST_GAPS
    assert found.since == START + 4.5 * HOUR


def facts(**recording: object) -> Facts:
    moment = (START + 24 * HOUR).isoformat()
    told = {"token": "r1", "name": "gate", "job": "active", "latest": moment, "asked": moment, "gaps": []}
    told |= {"gap_seconds": 0, "searched_from": START.isoformat()}
    return {"clock_offset_seconds": 0.0, "jobs": [{}], "recordings": [told | recording]}


def test_a_run_tells_what_it_searched_and_a_standstill_once_it_is_too_long() -> None:
    hole = {"from": (START + 10 * HOUR).isoformat(), "to": (START + 12 * HOUR).isoformat(), "resolution_seconds": 60}
    assert list(searched(facts(gaps=[hole]), RecordingPolicy())) == [run(0, 24, gap(10, 12))]
    lagging = facts(asked=(START + 24.4 * HOUR).isoformat())
    assert list(searched(lagging, RecordingPolicy(age_limit=1800))) == [run(0, 24)]
    stopped = facts(asked=(START + 25 * HOUR).isoformat())
    assert list(searched(stopped, RecordingPolicy(age_limit=1800))) == [run(0, 25, gap(24, 25, resolution=0))]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({}, NotComputable.NO_ANSWER),
        ({"profile_g": False, "clock_offset_seconds": 1.0}, NotComputable.NO_SERVICE),
        ({"recordings": []}, NotComputable.NO_CLOCK),
        ({"recordings": [], "clock_offset_seconds": 0.0}, NotComputable.NOTHING),
        (facts(gap_seconds=None, searched_from=None, gaps=None), NotComputable.NO_PRESENCE),
        (facts(searched_from=None), NotComputable.SEARCHING),
        (facts(job=None), NotComputable.NOTHING),
        (facts(), None),
    ],
)
def test_what_cannot_be_computed_says_why(told: Facts, why: NotComputable | None) -> None:
    assert why_not(told) is why
    if why is not None:
        assert list(searched(told, RecordingPolicy())) == []


@pytest.mark.parametrize("nonsense", [3, "yesterday", "2026-10-01T00:00:00", None])
def test_nonsense_of_a_device_is_passed_over(nonsense: object) -> None:
    assert list(searched(facts(searched_from=nonsense), RecordingPolicy())) == []
    broken = facts(gaps=[{"from": nonsense, "to": nonsense}, nonsense])
    assert list(searched(broken, RecordingPolicy())) == [run(0, 24)]
