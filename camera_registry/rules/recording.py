"""This file judges what a recorder says of its recordings: whether it still writes, what is missing, how storage fares.

What can't be told gives no verdict: a recorder without recording services, a recording whose newest picture it does not
name, gaps where it never says that there is something.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from camera_registry.model.health import Cause
from camera_registry.model.observation import Facts
from camera_registry.model.policy import RecordingPolicy

_ENDED = ("stopped", "removing", "removed")


def judge(facts: Facts, policy: RecordingPolicy) -> tuple[Cause | None, str] | None:
    """What is wrong, as (cause, detail); (None, "") where all is well; None where it can't be told."""
    fault = next(_storage_faults(facts), None)
    if fault is not None:
        return Cause.STORAGE_FAULT, fault
    ages, gaps, names = [], [], []
    for recording in expected(facts):
        name = _name(recording)
        age, missing = recording.get("age_seconds"), recording.get("gap_seconds")
        if isinstance(age, int | float) and age >= -policy.age_limit:
            names.append(name)
            if age > policy.age_limit:
                ages.append((age, f"{name} since {recording.get('latest')}"))
            elif isinstance(missing, int | float) and missing > policy.gap_limit:
                gaps.append(
                    (missing, f"{name} lacks {missing / 60:.0f} min of the last 24 h, {_newest_gap(recording)}")
                )
    for found, said in ((ages, "nothing newer is recorded"), (gaps, "recordings have gaps")):
        if found:
            return Cause.RECORDING_GAP, f"{said}: {max(found)[1]}{_others(len(found), len(names))}"
    if names:
        return None, ""
    age = facts.get("age_seconds")
    if not isinstance(age, int | float) or age < -policy.age_limit:
        return None
    if age > policy.age_limit:
        return Cause.RECORDING_GAP, f"nothing newer is recorded than {facts.get('latest')}"
    return None, ""


def _storage_faults(facts: Facts) -> Iterator[str]:
    for storage in maps(facts.get("storage")):
        if storage.get("fault"):
            yield f"storage {storage.get('token') or storage.get('kind')}: {storage['fault']}"
    for job in maps(facts.get("jobs")):
        if job.get("state") == "error":
            yield f"recording job {job.get('token')}: {job.get('error') or 'error'}"


def expected(facts: Facts) -> Iterator[Mapping[str, object]]:
    """The recordings that something should be written into: those that a job is there for, where the recorder tells its
    jobs; else those that it does not call ended."""
    jobs = facts.get("jobs")
    for recording in maps(facts.get("recordings")):
        if recording.get("job") if isinstance(jobs, Sequence) else recording.get("status") not in _ENDED:
            yield recording


def _newest_gap(recording: Mapping[str, object]) -> str:
    """When pictures were missing last, for people."""
    gaps = list(maps(recording.get("gaps")))
    return f"the newest from {gaps[-1].get('from')} to {gaps[-1].get('to')}" if gaps else "in short gaps"


def _others(bad: int, of: int) -> str:
    return f" ({bad} of {of} recordings)" if of > 1 else ""


def _name(recording: Mapping[str, object]) -> str:
    return str(recording.get("name") or recording.get("token") or "the recording")


def maps(value: object) -> Iterator[Mapping[str, object]]:
    """The mappings in a list that a device told."""
    if isinstance(value, list | tuple):
        yield from (one for one in value if isinstance(one, Mapping))
