"""What a recorder's own words say of its recordings, by policy."""

from __future__ import annotations

import pytest

from camera_registry.model.health import Cause
from camera_registry.model.observation import Facts
from camera_registry.model.policy import RecordingPolicy
from camera_registry.rules.recording import judge

POLICY = RecordingPolicy(age_limit=1800, gap_limit=1800)


def recording(token: str = "r1", **facts: object) -> dict[str, object]:
    return {"token": token, "name": "", "age_seconds": 20.0, "gap_seconds": 0, "gaps": [], "job": "active", **facts}


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"recordings": [recording()], "jobs": [{}]}, None),
        ({"recordings": [recording(age_seconds=7200)], "jobs": [{}]}, Cause.RECORDING_GAP),
        ({"recordings": [recording(gap_seconds=3600)], "jobs": [{}]}, Cause.RECORDING_GAP),
        ({"recordings": [recording(gap_seconds=600)], "jobs": [{}]}, None),
        ({"recordings": [recording(), recording("r2", age_seconds=7200)], "jobs": [{}]}, Cause.RECORDING_GAP),
        ({"recordings": [recording(age_seconds=7200, status="recording")]}, Cause.RECORDING_GAP),
        ({"age_seconds": 7200}, Cause.RECORDING_GAP),
        ({"age_seconds": 20}, None),
        (
            {"recordings": [recording()], "jobs": [{"token": "j", "state": "error", "error": "disk"}]},
            Cause.STORAGE_FAULT,
        ),
        ({"storage": [{"token": "d", "fault": "SMART"}], "age_seconds": 20}, Cause.STORAGE_FAULT),
        ({"storage": [{"token": "d", "fault": None}], "age_seconds": 20}, None),
    ],
)
def test_a_recorder_that_does_not_write_or_has_a_bad_disk_is_found(facts: Facts, cause: Cause | None) -> None:
    verdict = judge(facts, POLICY)
    assert verdict is not None
    assert verdict[0] is cause
    assert bool(verdict[1]) is (cause is not None), "a fault says what it is"


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"profile_g": False},
        {"recordings": [], "jobs": []},
        {"recordings": [recording(age_seconds=None)], "jobs": [{}]},
        {"recordings": [recording(age_seconds=-40_000)], "jobs": [{}]},
        {"age_seconds": -40_000},
        {"recordings": "nonsense", "jobs": 3, "storage": {"fault": "x"}, "age_seconds": "old"},
    ],
)
def test_what_cannot_be_told_gives_no_verdict(facts: Facts) -> None:
    assert judge(facts, POLICY) is None


@pytest.mark.parametrize(
    "old",
    [
        recording("old", age_seconds=9e6, job=None),
        recording("old", age_seconds=9e6, job=""),
    ],
)
def test_a_recording_that_nothing_writes_into_any_more_is_not_missed(old: dict[str, object]) -> None:
    assert judge({"recordings": [recording(), old], "jobs": [{}]}, POLICY) == (None, "")


def test_one_that_was_stopped_is_not_missed_where_jobs_are_not_told() -> None:
    ended = recording("old", age_seconds=9e6, status="stopped")
    assert judge({"recordings": [recording(status="recording"), ended]}, POLICY) == (None, "")


def test_one_whose_job_is_idle_is_missed_for_it_is_there_to_be_written_into() -> None:
    verdict = judge({"recordings": [recording(age_seconds=9000, job="idle")], "jobs": [{}]}, POLICY)
    assert verdict is not None
    assert verdict[0] is Cause.RECORDING_GAP


def test_gaps_that_cannot_be_told_are_no_gaps() -> None:
    assert judge({"recordings": [recording(gaps=None, gap_seconds=None)], "jobs": [{}]}, POLICY) == (None, "")


def test_the_worst_is_named_with_how_many_there_are() -> None:
    worst = recording("r2", name="north gate", age_seconds=9000, latest="2026-11-26T09:30:00+00:00")
    facts = {"recordings": [recording("r1", age_seconds=2000), worst, recording("r3")], "jobs": [{}]}
    verdict = judge(facts, POLICY)
    assert verdict is not None
    assert "north gate since 2026-11-26T09:30:00+00:00 (2 of 3 recordings)" in verdict[1]
