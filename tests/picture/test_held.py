"""A sensor that stands still is found from one picture to the next, of which no more than an imprint is kept."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from camera_registry.model.device import Channel, Device, Kind
from camera_registry.model.health import Cause
from camera_registry.model.observation import Facts, Observation
from camera_registry.model.picture import Unjudged
from camera_registry.model.policy import PicturePolicy
from camera_registry.rules.pictures import held, watching
from probes.picture.child import Decoder
from probes.picture.examination import Examiner
from tests.picture import generated, weather, wire
from tests.picture.camera import Camera, Light, light_of

NOON = datetime(2026, 6, 10, 4, tzinfo=UTC)
CAMERA = Camera()
STREET = light_of(generated.street(5).pictures[0])
NIGHT = weather.night(STREET, np.random.default_rng(2))


def follow(pictures: list[bytes], digests: list[str] | None = None) -> list[Facts]:
    """The facts after each picture, taken every quarter of an hour; nobody has accepted any."""
    examiner, facts, after = Examiner(Decoder()), dict[str, object](), []
    for n, picture in enumerate(pictures):
        found = examiner.examine([picture], [], [None], [], None)
        sight = {**found, "baselines": "", "reference_times": []}
        told = {"sight": sight, "sha256": digests[n] if digests else str(n)}
        seen = Observation("cam-7", "snapshot", NOON + timedelta(minutes=15 * n), 0.1, facts=told)
        seen = watching.take_in(seen, facts, PicturePolicy(), Device("cam-7", Kind.CAMERA), UTC, Channel("1", "cam-7"))
        facts = {**facts, **seen.facts}
        after.append(facts)
    return after


def live(light: Light, noise: float = 1.0) -> list[bytes]:
    """A static scene; nothing but the clock and the sensor's noise differ."""
    random = np.random.default_rng(4)
    return [CAMERA.take(light, NOON + timedelta(seconds=901 * n), random, noise=noise) for n in range(5)]


def held_pictures(light: Light) -> list[bytes]:
    """One exposure, under a clock that runs."""
    exposed = CAMERA.expose(light, np.random.default_rng(4))
    return [CAMERA.code(CAMERA.burn_in(exposed, NOON + timedelta(seconds=901 * n))) for n in range(5)]


@pytest.mark.parametrize("light", [STREET, NIGHT], ids=["day", "night"])
def test_a_held_exposure_is_believed_after_two_pictures_though_the_clock_runs_and_all_is_well_after_it(
    light: Light,
) -> None:
    after = follow([*held_pictures(light)[:3], *live(light)[:3]])
    assert not watching.believed(after[1])[0]
    assert list(watching.believed(after[2])[0]) == [Cause.FROZEN]
    assert "seconds 900" in watching.evidence(after[2], Cause.FROZEN)
    assert not watching.believed(after[5])[0]


@pytest.mark.parametrize("light", [STREET, NIGHT], ids=["day", "night"])
@pytest.mark.parametrize("noise", [1.0, 0.2])
def test_a_scene_in_which_nothing_moves_is_checked_and_not_frozen(light: Light, noise: float) -> None:
    for facts in follow(live(light, noise))[1:]:
        judgement = watching.judged(facts)
        assert judgement is not None
        assert judgement["scores"][Cause.FROZEN] == 0


def test_the_first_picture_of_a_camera_says_nothing_of_a_freeze() -> None:
    judgement = watching.judged(follow(live(STREET)[:1])[0])
    assert judgement is not None
    assert judgement["not_checked"][Cause.FROZEN] == Unjudged.ONE_FRAME


def test_a_dark_wall_is_not_called_frozen_for_want_of_anything_to_see() -> None:
    plain = np.full_like(STREET, 0.02)
    judgement = watching.judged(follow(held_pictures(plain)[:2])[1])
    assert judgement is not None
    assert judgement["not_checked"][Cause.FROZEN] == Unjudged.NOTHING_TO_SEE


def test_a_card_that_stands_still_by_nature_is_no_signal_and_not_frozen() -> None:
    card = wire.no_signal(STREET.shape, "blue", np.random.default_rng(1))
    (fault,) = (watching.judged(follow([CAMERA.code(card)] * 2)[1]) or {})["faults"]
    assert fault["cause"] == Cause.NO_SIGNAL


def test_a_few_tiles_that_are_alike_by_chance_are_no_freeze() -> None:
    def imprint(*tiles: int) -> dict[str, object]:
        return {"tiles": base64.b64encode(bytes(tiles)).decode(), "told": 0.1, "at": NOON.isoformat()}

    few, many = imprint(7, 0, 0, 9, 8, 0), imprint(7, 6, 5, 9, 8, 0)
    for one, told in ((few, 0.0), (many, 0.1)):
        between = held.between(one, NOON + timedelta(minutes=15), {}, one, {})
        assert between is not None
        assert between["told"] == told
