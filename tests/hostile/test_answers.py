"""Malformed answers are read as far as they go, and refused by their kind where they don't; none is our own failure."""

from __future__ import annotations

import pytest

from tests.hostile import rtsp_answers, soap_answers
from tests.hostile.attack import Attack, suffer
from tests.probes.loopback import OnvifDouble

PATIENCE = 8.0
ALL = ("GetSystemDateAndTime", "GetDeviceInformation")


@pytest.mark.parametrize("answer", soap_answers.ANSWERS, ids=lambda answer: answer.name)
async def test_soap_of_every_condition_is_read_or_refused_by_its_kind(answer: soap_answers.Answer) -> None:
    device = OnvifDouble({"GetDeviceInformation": (answer.status, answer.body)}, open_operations=ALL)
    seen = await suffer(Attack(answer.name, "onvif", device, answer.kinds, options={"full": False}), PATIENCE)
    if answer.facts:
        assert seen.failure is None
        assert {name: seen.facts.get(name) for name in answer.facts} == answer.facts
    else:
        assert seen.failure is not None
        assert seen.failure.kind in answer.kinds, seen.failure
        assert len(seen.failure.detail) < 1000
    assert "clock_offset_seconds" in seen.facts, "what was learned before stays"
    repr(seen).encode("utf-8")


@pytest.mark.parametrize("case", rtsp_answers.CASES, ids=lambda case: case.name)
async def test_rtsp_of_every_condition_is_played_or_refused_by_its_kind(case: rtsp_answers.Case) -> None:
    attack = Attack(case.name, "rtsp", case.script, case.kinds, options={"path": "/main", "frames": True})
    seen = await suffer(attack, PATIENCE)
    if case.facts:
        assert seen.failure is None
        assert {name: seen.facts.get(name) for name in case.facts} == case.facts
    else:
        assert seen.failure is not None
        assert seen.failure.kind in case.kinds, seen.failure
    repr(seen).encode("utf-8")


def test_the_tables_are_as_long_as_they_should_be() -> None:
    assert len({answer.name for answer in soap_answers.ANSWERS}) == len(soap_answers.ANSWERS) >= 30
    assert len({case.name for case in rtsp_answers.CASES}) == len(rtsp_answers.CASES) >= 30
