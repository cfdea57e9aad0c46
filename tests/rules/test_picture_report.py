"""A report says how good the judge is, and what it costs in false alarms."""

from __future__ import annotations

import pytest

from camera_registry.model.health import Cause
from camera_registry.model.picture import Judgement, PictureFault
from camera_registry.rules.pictures.report import Answer, report


def answer(cause: Cause | None, score: float, severity: str = "severe", condition: str = "day") -> Answer:
    faults = (PictureFault(Cause.BLURRED, score),) if score >= 0.5 else ()
    return Answer(cause, severity, condition, Judgement(faults, (Cause.BLURRED,), {}, {Cause.BLURRED: score}))


HEALTHY = [answer(None, n / 1000, condition="night" if n % 2 else "day") for n in range(500)]


def test_recall_is_told_at_the_rates_of_false_alarms_and_mild_cases_count_in_no_share() -> None:
    faulty = [answer(Cause.BLURRED, score) for score in (0.4945, 0.4985, 0.9, 0.1)]
    found = report([*HEALTHY, *faulty, answer(Cause.BLURRED, 0.0, "mild")], frozenset({"mild"}))
    blurred = found.causes[Cause.BLURRED]
    assert (blurred.found, blurred.cases) == (1, 4)
    assert blurred.graded == {"severe": (1, 4), "mild": (0, 1)}
    assert blurred.at == {0.01: 0.75, 0.002: 0.5}
    assert blurred.taken_for == {"nothing": 3}
    assert blurred.rising == pytest.approx((495 + 499 + 500 + 100.5) / 2000, abs=0.001)


def test_false_alarms_are_told_by_condition_with_what_was_named() -> None:
    found = report([*HEALTHY, answer(None, 0.7, condition="night")])
    assert found.alarms["night"] == (1, 251, {"blurred": 1})
    assert found.alarmed == (1, 501)
    assert found.mean == 0
