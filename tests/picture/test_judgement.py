"""The picture judge on generated scenes: it names what is wrong and leaves healthy pictures alone.

Only plain cases stand here, moderate and severe; graded recall and false alarms are measured by
``python -m tests.judge_evaluation``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from camera_registry.model.health import Cause
from camera_registry.model.picture import JUDGED, Judgement, Unjudged
from camera_registry.rules.pictures import judge
from camera_registry.rules.pictures.sight import sight
from probes.picture.burnt_in import Osd
from probes.picture.examination import Decoded, Examiner
from probes.picture.measuring.look import look as measured
from probes.picture.measuring.sheet import Picture, Sheet
from tests.picture import faults, generated, mixed, mixed_cases, otherwise, weather, wire, worn
from tests.picture.camera import Camera, Light, light_of

NOON = datetime(2026, 6, 10, 12, 0, 5)  # noqa: DTZ001 - a camera's local time has no zone
CAMERA = Camera()
STREET = light_of(generated.street(5).pictures[0])
ROOM = light_of(generated.room(5).pictures[0])
LAYOUT = "YYYY-MM-DD HH:MM:SS"


def opened(jpeg: bytes, width: int, /, *, grey: bool = False) -> Decoded:
    del grey  # luminance is made of the colours where it is needed
    from probes.picture.child import decode

    picture: Picture = decode(jpeg, width)
    return Decoded(picture, picture.shape[1], 1)


def random(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


def references(light: Light) -> list[bytes]:
    return [CAMERA.take(light, day_before(n), random(n), gain) for n, gain in enumerate((0.8, 1.0, 1.2))]


def day_before(n: int) -> datetime:
    return NOON - timedelta(days=n + 1, minutes=7 * n)


REFERENCES = {"street": references(STREET), "room": references(ROOM)}
LIGHTS = {"street": STREET, "room": ROOM}


def judged(
    frames: list[bytes],
    scene: str = "",
    at: list[datetime | None] | None = None,
    osd: Osd | None = None,
) -> Judgement:
    """The judgement of frames, against the references of a scene where one is named."""
    known = REFERENCES.get(scene, [])
    times = at or [NOON] * len(frames)
    before: list[datetime | None] = [day_before(n) for n in range(len(known))]
    found = Examiner(opened).examine(frames, known, times, before, osd)
    return judge(sight(found, times, before))


def causes(judgement: Judgement) -> list[Cause]:
    return [fault.cause for fault in judgement.faults]


def spoilt(scene: str, kind: str, severity: float) -> bytes:
    light = LIGHTS[scene]
    for kinds in faults.LENS.values():
        if kind in kinds:
            return CAMERA.take(kinds[kind](light, severity, random()), NOON, random(1))
    for kinds in faults.SENSOR.values():
        if kind in kinds:
            levels = kinds[kind](CAMERA.expose(light, random(1)), severity, random())
            return CAMERA.code(CAMERA.burn_in(levels, NOON))
    raise LookupError(kind)


OF_THE_LENS = {
    "defocus": Cause.BLURRED,
    "condensation": Cause.BLURRED,
    "spray": Cause.COVERED,
    "thing": Cause.COVERED,
    "more_light": Cause.OVEREXPOSED,
    "less_light": Cause.DARK,
    "fog": Cause.LOW_CONTRAST,
    "tint": Cause.COLOUR_CAST,
    "move": Cause.MOVED,
    "grain": Cause.NOISY,
    "speckle": Cause.NOISY,
    "hum": Cause.STRIPED,
    "lost_lines": Cause.STRIPED,
}


@pytest.mark.parametrize(("kind", "cause"), list(OF_THE_LENS.items()))
def test_a_fault_is_named_when_the_view_is_known(kind: str, cause: Cause) -> None:
    assert cause in causes(judged([spoilt("street", kind, 0.7)], "street"))


ALONE = {
    "defocus": Cause.BLURRED,
    "more_light": Cause.OVEREXPOSED,
    "less_light": Cause.DARK,
    "fog": Cause.LOW_CONTRAST,
    "grain": Cause.NOISY,
    "hum": Cause.STRIPED,
}


@pytest.mark.parametrize(("kind", "cause"), list(ALONE.items()))
def test_a_severe_fault_is_named_from_one_picture_alone(kind: str, cause: Cause) -> None:
    assert causes(judged([spoilt("street", kind, 1.0)])) == [cause]


def healthy() -> Iterator[tuple[str, str]]:
    for scene in LIGHTS:
        for condition in weather.CONDITIONS:
            yield scene, condition


@pytest.mark.parametrize(("scene", "condition"), list(healthy()))
def test_no_fault_is_found_in_healthy_weather_and_light(scene: str, condition: str) -> None:
    at = NOON.replace(hour={"night": 23, "headlights": 23, "infrared": 23, "sunset": 19}.get(condition, 12))
    light = weather.CONDITIONS[condition](LIGHTS[scene], random(8))
    frame = CAMERA.take(light, at, random(9), noise=3.0 if at.hour == 23 else 1.0)
    assert causes(judged([frame], scene, [at])) == []
    assert causes(judged([frame], "", [at])) == []


@pytest.mark.parametrize("kind", wire.SIGNALS)
def test_a_card_without_a_signal_is_told_as_such_and_silences_the_rest(kind: str) -> None:
    card = wire.no_signal(STREET.shape, kind, random())
    judgement = judged([CAMERA.code(CAMERA.burn_in(card, NOON))], "street")
    assert causes(judgement) == [Cause.NO_SIGNAL]
    assert judgement.not_checked[Cause.BLURRED] is Unjudged.STANDS_DOWN


def test_a_picture_whose_lower_part_is_filled_in_is_corrupt() -> None:
    levels = wire.grey_rest(CAMERA.burn_in(CAMERA.expose(STREET, random()), NOON), 0.6, random())
    assert causes(judged([CAMERA.code(levels)])) == [Cause.CORRUPT]


def test_a_picture_that_is_cut_off_is_corrupt_and_nothing_else_is_said_of_it() -> None:
    whole = CAMERA.take(STREET, NOON, random())
    judgement = judged([whole[: len(whole) // 2]], "street")
    assert causes(judgement) == [Cause.CORRUPT]
    assert set(judgement.not_checked) == set(JUDGED) - {Cause.CORRUPT}


def test_frames_without_fresh_noise_are_frozen_although_the_clock_runs() -> None:
    held = CAMERA.expose(STREET, random())
    at: list[datetime | None] = [NOON + timedelta(seconds=s) for s in (0, 2, 4)]
    frames = [CAMERA.code(CAMERA.burn_in(held, time)) for time in at if time]
    osd = Osd(tuple(float(side) for side in CAMERA.box(STREET.shape)), LAYOUT)  # type: ignore[arg-type] # four sides
    assert causes(judged(frames, "", at, osd)) == [Cause.FROZEN]


def test_a_still_scene_with_fresh_noise_is_not_frozen() -> None:
    at: list[datetime | None] = [NOON + timedelta(seconds=s) for s in (0, 2, 4)]
    frames = [CAMERA.take(STREET, time, random(n)) for n, time in enumerate(at) if time]
    judgement = judged(frames, "", at)
    assert causes(judgement) == []
    assert Cause.FROZEN in judgement.checked


def test_a_camera_that_smooths_its_noise_away_is_not_called_frozen() -> None:
    at: list[datetime | None] = [NOON + timedelta(seconds=s) for s in (0, 2, 4)]
    frames = [CAMERA.take(STREET, time, random(n), noise=0.05) for n, time in enumerate(at) if time]
    judgement = judged(frames, "", at)
    assert causes(judgement) == []
    assert judgement.not_checked[Cause.FROZEN] is Unjudged.TOO_STILL


def test_one_picture_says_nothing_of_a_freeze() -> None:
    assert judged([CAMERA.take(STREET, NOON, random())]).not_checked[Cause.FROZEN] is Unjudged.ONE_FRAME


@pytest.mark.parametrize("wrong", [timedelta(minutes=-12), timedelta(days=400)])
def test_a_burnt_in_clock_that_is_wrong_is_read(wrong: timedelta) -> None:
    frame = CAMERA.take(ROOM, NOON + wrong, random())
    osd = Osd(tuple(float(side) for side in CAMERA.box(ROOM.shape)), LAYOUT)  # type: ignore[arg-type] # four sides
    judgement = judged([frame], "room", None, osd)
    assert causes(judgement) == [Cause.OSD_CLOCK]
    assert judgement.faults[0].evidence["seconds_off"] == wrong.total_seconds()


def test_a_burnt_in_clock_that_is_right_is_checked_and_good() -> None:
    osd = Osd(tuple(float(side) for side in CAMERA.box(ROOM.shape)), LAYOUT)  # type: ignore[arg-type] # four sides
    judgement = judged([CAMERA.take(ROOM, NOON, random())], "room", None, osd)
    assert causes(judgement) == []
    assert Cause.OSD_CLOCK in judgement.checked


def test_a_dark_picture_is_a_fault_by_day_and_not_judged_by_night() -> None:
    frame = CAMERA.take(STREET * np.float32(0.01), NOON, random(), noise=3.0)
    assert causes(judged([frame], "street", [NOON])) == [Cause.DARK]
    midnight: list[datetime | None] = [NOON.replace(hour=0)]
    judgement = judged([frame], "street", midnight)
    assert causes(judgement) == []
    assert judgement.not_checked[Cause.DARK] is Unjudged.NIGHT
    assert judgement.not_checked[Cause.COVERED] is Unjudged.NO_FITTING_REFERENCE


def test_black_with_nothing_in_it_is_no_signal_by_day_and_by_night_only_without_a_sensors_noise() -> None:
    capped = CAMERA.take(STREET * np.float32(0), NOON, random(), noise=3.0)
    assert causes(judged([capped], "street", [NOON])) == [Cause.NO_SIGNAL]
    assert causes(judged([capped], "street", [NOON.replace(hour=0)])) == []
    unplugged = CAMERA.code(np.zeros(STREET.shape, np.float32))
    assert causes(judged([unplugged], "street", [NOON.replace(hour=0)])) == [Cause.NO_SIGNAL]


def test_every_cause_is_a_fault_or_checked_or_not_checked_with_a_reason() -> None:
    judgement = judged([spoilt("street", "fog", 0.7)], "street")
    assert set(judgement.checked) | set(judgement.not_checked) == set(JUDGED)
    assert not set(judgement.checked) & set(judgement.not_checked)
    assert {fault.cause for fault in judgement.faults} <= set(judgement.checked)


@pytest.mark.parametrize("kind", otherwise.CARDS)
def test_screens_of_recorders_without_a_signal_are_told_as_such(kind: str) -> None:
    card = CAMERA.code(CAMERA.burn_in(otherwise.card(STREET.shape, kind, random()), NOON))
    assert causes(judged([card], "street")) == [Cause.NO_SIGNAL]


@pytest.mark.parametrize("kind", ["camera_sign", "framed", "blue_logo", "smpte", "connecting"])
def test_screens_with_something_drawn_on_them_are_told_too(kind: str) -> None:
    card = CAMERA.code(mixed_cases.screen(kind, (960, 540)))
    assert causes(judged([card])) == causes(judged([card], "street")) == [Cause.NO_SIGNAL]


def test_memory_that_was_never_written_is_corrupt_however_much_of_it_shows() -> None:
    levels = CAMERA.expose(LIGHTS["street"], random(1))
    levels[48:64, 320:] = levels[64:432] = (0, 135, 0)
    assert causes(judged([CAMERA.code(levels)])) == [Cause.CORRUPT]


def test_noise_that_is_many_times_the_cameras_own_is_a_fault_by_day_and_not_at_night() -> None:
    # Less than other cameras have every evening.
    quiet = replace(CAMERA, read=0.0004, shot=0.00003)
    known = [quiet.take(ROOM, day_before(n), random(n)) for n in range(3)]
    noisy = quiet.take(ROOM, NOON, random(), noise=14)
    before: list[datetime | None] = [day_before(n) for n in range(3)]
    for at, found in ((NOON, [Cause.NOISY]), (NOON.replace(hour=23), [])):
        seen = Examiner(opened).examine([noisy], known, [at], before, None)
        assert causes(judge(sight(seen, [at], before))) == found


def test_references_are_remembered_by_their_measures_when_their_sheets_are_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("probes.picture.examination.KEPT", 1)
    frame = CAMERA.take(STREET, NOON, random(9))
    looks: list[Sheet] = []

    def look(sheet: Sheet) -> dict[str, float]:
        looks.append(sheet)
        return measured(sheet)

    monkeypatch.setattr("probes.picture.examination.look", look)
    examiner, times = Examiner(opened), [day_before(n) for n in range(3)]
    first, again = (examiner.examine([frame], REFERENCES["street"], [NOON], times, None) for _ in range(2))
    assert first == again
    assert len(looks) == 3


def test_a_picture_like_a_reference_is_compared_with_no_other() -> None:
    frame = CAMERA.take(STREET, NOON, random(9))
    found: Any = Examiner(opened).examine([frame], REFERENCES["street"], [NOON], [None] * 3, None)
    assert sum(change is not None for change in found["changes"]) == 1
    covered: Any = Examiner(opened).examine(
        [spoilt("street", "thing", 1.0)], REFERENCES["street"], [NOON], [None] * 3, None
    )
    assert sum(change is not None for change in covered["changes"]) == 3


def measures(frame: bytes, known: list[bytes]) -> Any:
    found: Any = Examiner(opened).examine([frame], known, [NOON], [day_before(n) for n in range(len(known))], None)
    return found["frames"][-1]["measures"]


def test_a_view_that_is_seen_again_as_sharp_as_it_was_is_not_asked_how_sharp_it_is_by_itself() -> None:
    known, by_itself = REFERENCES["street"], {"keen", "reblur", "edges", "empty", "flat_share", "shift"}
    healthy, soft = CAMERA.take(STREET, NOON, random(9)), spoilt("street", "defocus", 0.3)
    assert by_itself <= set(measures(healthy, []))
    assert by_itself.isdisjoint(measures(healthy, known))
    # Without a comparison, or one that does not tell, it is.
    assert by_itself <= set(measures(healthy, [b"torn"]))
    assert by_itself - set(measures(soft, known)) == {"shift"}
    said = judged([healthy], "street")
    assert {Cause.BLURRED, Cause.NO_SIGNAL, Cause.CORRUPT, Cause.STRIPED, Cause.COVERED} <= set(said.checked)
    assert not said.faults


@pytest.mark.parametrize(("kind", "severity"), [("hum", 0.2), ("lost_lines", 0.45), ("speckle", 0.45), ("tint", 0.3)])
def test_what_a_view_that_is_seen_again_may_newly_have_is_found_all_the_same(kind: str, severity: float) -> None:
    frame = spoilt("street", kind, severity)
    assert "edges" not in measures(frame, REFERENCES["street"])
    assert OF_THE_LENS[kind] in causes(judged([frame], "street"))


def test_an_earlier_frame_that_can_not_be_read_says_nothing_of_a_freeze_and_stops_nothing() -> None:
    frames = [CAMERA.take(STREET, NOON, random(seed)) for seed in range(2)]
    times, osd = [NOON, NOON + timedelta(seconds=1)], Osd(CAMERA.box(STREET.shape), LAYOUT)

    def decode(jpeg: bytes, width: int, /) -> Decoded:
        if jpeg == frames[0]:
            raise ValueError("it is torn")
        return opened(jpeg, width)

    found: Any = Examiner(decode).examine(frames, REFERENCES["street"], times, [day_before(0)] * 3, osd)
    assert found["between"] is None
    assert [("refused" in one) for one in found["frames"]] == [True, False]


def parked(light: Light, *places: float) -> Light:
    """The scene with what stands in it for a time only: vans, from these shares of the width on."""
    seen = light.copy()
    for x in places:
        one = weather.passer(light[:, : light.shape[1] // 2], random(7))
        left = round(x * light.shape[1])
        seen[:, left : left + light.shape[1] // 5] = one[:, light.shape[1] // 10 : light.shape[1] // 10 * 3]
    return seen


def test_cars_that_stood_in_an_accepted_picture_and_drove_on_cover_nothing() -> None:
    dusk = np.float32(0.25)
    empty = light_of(generated.room(8).pictures[0])
    full = parked(empty, 0.3, 0.5)
    known = [CAMERA.take(full * dusk, day_before(0), random(1)), CAMERA.take(full * dusk, day_before(1), random(2))]
    times: list[datetime | None] = [day_before(0), day_before(1)]
    frame = CAMERA.take(empty * dusk, NOON, random(4))
    found = Examiner(opened).examine([frame], known, [NOON], times, None)
    assert Cause.COVERED in causes(judge(sight(found, [NOON], times))), "these vans are enough to look like a cover"
    other = parked(empty, 0.75)
    known, times = [*known, CAMERA.take(other, day_before(2), random(3))], [*times, day_before(2)]
    # There is a van in this one too, at another place.
    found = Examiner(opened).examine([frame], known, [NOON], times, None)
    assert Cause.COVERED not in causes(judge(sight(found, [NOON], times)))
    hidden = CAMERA.take(faults.thing(empty * dusk, 0.7, random(5)), NOON, random(6))
    found = Examiner(opened).examine([hidden], known, [NOON], times, None)
    assert Cause.COVERED in causes(judge(sight(found, [NOON], times)))


def test_a_green_view_that_pales_in_fog_has_no_cast_and_one_that_turns_pink_has() -> None:
    wood = STREET * np.array((0.35, 1.0, 0.5), np.float32)
    known = [CAMERA.take(wood, day_before(n), random(n)) for n in range(2)]
    times: list[datetime | None] = [day_before(0), day_before(1)]
    foggy, pink = wood * np.float32(0.6) + np.float32(0.1), otherwise.magenta(wood, 0.7, random())
    for light, cast in ((foggy, False), (pink, True)):
        found: Any = Examiner(opened).examine([CAMERA.take(light, NOON, random(4))], known, [NOON], times, None)
        for change in found["changes"]:
            if change is not None:
                # As far as it may come in a wood without anything grey in it, where no colour tells the air's share.
                change |= {"cast": 0.3, "cast_share": 0.95}
        assert (Cause.COLOUR_CAST in causes(judge(sight(found, [NOON], times)))) is cast


@pytest.mark.parametrize("kind", ["moved_blocks", "wrong_colours", "dragged_rows"])
def test_a_broken_decoding_is_found_without_a_reference(kind: str) -> None:
    levels = otherwise.WIRE[kind](CAMERA.expose(STREET, random()), 1.0, random(1))
    assert Cause.CORRUPT in causes(judged([CAMERA.code(levels)]))


def test_hot_pixels_are_noise_where_the_references_have_none() -> None:
    for strength in (0.5, 1.0):
        levels = otherwise.hot_pixels(CAMERA.expose(ROOM, random()), strength, random(1))
        assert causes(judged([CAMERA.code(levels)], "room")) == [Cause.NOISY]


def test_a_pink_street_has_a_cast_whatever_stands_in_it() -> None:
    frame = CAMERA.take(otherwise.magenta(STREET, 1.0, random()), NOON, random())
    assert causes(judged([frame])) == [Cause.COLOUR_CAST]


def test_a_filter_that_has_come_off_on_one_side_is_a_cast_and_another_balance_of_white_is_none() -> None:
    frame = CAMERA.take(mixed.half_filter(STREET, 0.5, random()), NOON, random())
    assert causes(judged([frame], "street")) == [Cause.COLOUR_CAST]
    pinker = np.asarray(STREET * np.array((1.06, 0.95, 1.06)), dtype=np.float32)
    assert causes(judged([CAMERA.take(pinker, NOON, random())], "street")) == []


def test_a_wall_of_sandstone_is_no_cast() -> None:
    grey = STREET.mean(axis=2, keepdims=True)
    sandstone = np.asarray(grey * np.array((0.24, 0.75, 1.0)), dtype=np.float32)
    assert causes(judged([CAMERA.take(sandstone, NOON, random())])) == []


@pytest.mark.parametrize("kind", ["dead_lines", "cut_key_frame", "cap_with_leak"])
def test_what_wear_and_losses_do_is_told_from_one_picture(kind: str) -> None:
    law, right = (worn.LENS | worn.SENSOR | worn.WIRE)[kind]
    before = kind in worn.LENS
    levels = CAMERA.expose(law(STREET, 1.0, random()) if before else STREET, random(1))
    frame = CAMERA.code(levels if before else law(levels, 1.0, random()))
    assert right & {cause.value for cause in causes(judged([frame]))}


@pytest.mark.parametrize("kind", sorted(worn.SCREENS))
def test_screens_without_a_picture_are_told_whatever_they_show(kind: str) -> None:
    draw, right = worn.SCREENS[kind]
    told = causes(judged([CAMERA.code(draw((960, 540), random()))]))
    assert right & {cause.value for cause in told}
