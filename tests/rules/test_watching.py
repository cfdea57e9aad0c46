"""What is believed of a channel's pictures, one observation after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from camera_registry.model import device
from camera_registry.model.baseline import Persistence
from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Aspect, Cause, Reading
from camera_registry.model.observation import Facts, Observation
from camera_registry.model.picture import Judgement, PictureFault, Sight, Unjudged
from camera_registry.model.policy import PERSISTENCE, PicturePolicy, Policy
from camera_registry.rules.pictures import watching
from camera_registry.rules.verdict import read

BEGIN = datetime(2026, 6, 10, 4, tzinfo=UTC)
CAMERA = Device("cam-7", Kind.CAMERA, latitude=30.6, longitude=114.3)
_NEED = {Cause.COVERED: Persistence(4, 5, 2700), Cause.BLURRED: Persistence(4, 5, 3600)}
POLICY = Policy(picture=PicturePolicy(persistence={**PERSISTENCE, **_NEED}))


class Channel:
    """Pictures that come in; what the judge finds in each is told, everything else is real."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.facts: Facts = {}
        self.at = BEGIN
        self.baselines = "1,2"
        self.clock: Mapping[str, float] | None = None
        self.registered = device.Channel("1", "cam-7")
        self._found = Judgement((), (), {})
        monkeypatch.setattr(watching, "judge", lambda sight, limits: self._judged(sight))

    def _judged(self, sight: Sight) -> Judgement:
        self.sight = sight
        return self._found

    def see(self, *faults: Cause, told: bool = True, minutes: float = 15) -> Reading | None:
        """One more picture with these faults; not ``told``: it could not be judged. What it says of the picture."""
        checked = () if faults or not told else (Cause.COVERED, Cause.BLURRED)
        not_checked = {} if told else {Cause.COVERED: Unjudged.NIGHT, Cause.BLURRED: Unjudged.NIGHT}
        self._found = Judgement(tuple(PictureFault(cause, 1.0) for cause in faults), checked, not_checked)
        self.at += timedelta(minutes=minutes)
        sight: Mapping[str, object] = {
            "frames": [{"measures": {"colourfulness": 20.0, "mean": 120.0}}],
            "references": [{"measures": {}}] if self.baselines else [],
            "changes": [None] if self.baselines else [],
            "tiles": [{}] if self.baselines else [],
            "between": None,
            "restless": None,
            "clock": self.clock,
            "baselines": self.baselines,
            "reference_times": [BEGIN.isoformat()] if self.baselines else [],
        }
        seen = Observation("cam-7", "snapshot", self.at, 0.1, facts={"sight": sight})
        seen = watching.take_in(seen, self.facts, POLICY.picture, CAMERA, UTC, self.registered)
        said = read(seen, self.facts, POLICY, CAMERA, feeds_reach=False)
        self.facts = {**self.facts, **seen.facts}
        return next((one for one in said if one.subject.aspect is Aspect.PICTURE), None)


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Channel:
    return Channel(monkeypatch)


def cause(reading: Reading | None) -> Cause | None:
    assert reading is not None, "it says nothing"
    return reading.cause


def believe(channel: Channel) -> Reading:
    """Four pictures of a covered camera, and the reading of the last one."""
    for _ in range(3):
        assert cause(channel.see(Cause.COVERED)) is None
    reading = channel.see(Cause.COVERED)
    assert reading is not None
    assert reading.cause is Cause.COVERED
    return reading


def test_what_many_pictures_show_is_believed_and_began_with_the_first_of_them(channel: Channel) -> None:
    assert believe(channel).began == BEGIN + timedelta(minutes=15)
    assert channel.see(Cause.COVERED) == replace(believed_at(channel), at=channel.at)


def believed_at(channel: Channel) -> Reading:
    reading = read(
        Observation("cam-7", "snapshot", channel.at, 0.1, facts=channel.facts), {}, POLICY, CAMERA, feeds_reach=False
    )
    return next(one for one in reading if one.subject.aspect is Aspect.PICTURE)


def test_a_picture_that_denies_what_is_believed_says_nothing_until_the_next_one_does_too(channel: Channel) -> None:
    believe(channel)
    assert channel.see() is None
    assert channel.facts["again_in"] == 0
    assert cause(channel.see(Cause.COVERED)) is Cause.COVERED
    assert channel.see() is None
    assert cause(channel.see(minutes=0.2)) is None
    assert channel.facts["watched"] == {}


def test_a_covered_camera_is_covered_all_night_though_no_picture_can_tell(channel: Channel) -> None:
    believe(channel)
    for _ in range(40):
        assert cause(channel.see(told=False)) is Cause.COVERED
    assert channel.see() is None
    assert cause(channel.see(told=False)) is Cause.COVERED


def test_against_other_references_what_was_not_yet_believed_begins_anew(channel: Channel) -> None:
    for _ in range(3):
        channel.see(Cause.COVERED)
    channel.baselines = "1,2,3"
    assert cause(channel.see(Cause.COVERED)) is None
    assert [len(trail["seen"]) for trail in channel.facts["watched"].values()] == [1]


@pytest.mark.parametrize("told", [True, False])
def test_against_other_references_what_is_believed_must_be_seen_still(channel: Channel, told: bool) -> None:
    believe(channel)
    channel.baselines = "1,4"
    assert cause(channel.see(Cause.COVERED)) is Cause.COVERED
    channel.baselines = "1,5"
    assert cause(channel.see(told=told)) is None, "somebody has said that this is normal here"


def test_a_camera_of_which_nobody_accepted_a_picture_is_believed_only_what_needs_none(channel: Channel) -> None:
    channel.baselines = ""
    for _ in range(6):
        assert cause(channel.see(Cause.COVERED)) is None
    assert channel.facts["judgement"]["faults"][0]["cause"] == "covered"
    for _ in range(3):
        channel.see(Cause.CORRUPT)
    assert cause(channel.see(Cause.CORRUPT)) is Cause.CORRUPT


def test_the_next_look_is_asked_for_when_it_counts_and_not_before(channel: Channel) -> None:
    channel.see(Cause.COVERED)
    assert channel.facts["again_in"] == 900
    channel.see(Cause.COVERED, minutes=5)
    assert channel.facts["again_in"] == 600
    channel.see()
    assert channel.facts["again_in"] is None


def test_of_two_that_are_believed_the_one_that_the_picture_still_shows_is_told(channel: Channel) -> None:
    for _ in range(6):
        channel.see(Cause.COVERED, Cause.BLURRED)
    assert set(channel.facts["watched"]) == {"blurred", "covered"}
    assert cause(channel.see(Cause.COVERED)) is Cause.COVERED


def test_whether_it_is_day_is_told_by_the_sun_where_the_camera_is_known_to_stand(channel: Channel) -> None:
    channel.see()
    assert channel.sight.sun == pytest.approx(82, abs=3)
    assert channel.facts["judgement"]["regime"] == "day"


@pytest.mark.parametrize("may_move", [True, False])
def test_what_is_registered_of_moving_goes_before_the_policy(channel: Channel, may_move: bool) -> None:
    channel.registered = replace(channel.registered, may_move=may_move)
    channel.see()
    assert channel.sight.may_move is may_move


def test_a_clock_that_shows_the_same_in_two_pictures_stands_still(channel: Channel) -> None:
    channel.clock = {"sure": 0.9, "seconds_off": -40.0}
    channel.see()
    assert "stopped" not in (channel.sight.clock or {})
    channel.see(minutes=0.5)
    assert "stopped" not in (channel.sight.clock or {}), "so soon, without seconds, a right one may show the same"
    channel.clock = {"sure": 0.9, "seconds_off": -40.0 - 930}
    channel.see()
    assert channel.sight.clock is not None
    assert channel.sight.clock["stopped"] == 1
    channel.see()
    assert channel.sight.clock["stopped"] == 0, "it is as far behind as it was, so it runs again"


def test_what_counts_still_counts_when_the_clock_has_been_set(channel: Channel) -> None:
    for _ in range(3):
        channel.see(Cause.COVERED)
    hour = timedelta(hours=1)
    channel.facts, channel.at = watching.shifted(channel.facts, -hour), channel.at - hour
    assert cause(channel.see(Cause.COVERED)) is Cause.COVERED
