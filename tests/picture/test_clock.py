"""A burnt-in clock is read as cameras write it and as people draw boxes about it; a right one is never called wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from probes.picture.burnt_in import Osd
from probes.picture.child import Decoder
from probes.picture.examination import Examiner
from probes.picture.measuring import clock
from probes.picture.measuring.sheet import Picture
from tests.picture import generated
from tests.picture.test_judgement import NOON

STREET = generated.street(6).pictures[0]
BEFORE = [NOON - timedelta(days=n, hours=3 * n, minutes=17 * n, seconds=11 * n) for n in (1, 2, 5)]
PLAIN = "YYYY-MM-DD HH:MM:SS"
FONT, SCALE = cv2.FONT_HERSHEY_DUPLEX, 0.8
SEED = 3


def written(shown: datetime, layout: str = PLAIN) -> str:
    return shown.strftime(clock.code(layout))


def picture(
    text: str,
    seed: int,
    *,
    dark: int = 0,
    scale: float = SCALE,
    side: int = 960,
    font: int = FONT,
    corner: tuple[int, int] = (40, 50),
) -> Picture:
    """A street with a line of text, in its upper left ``corner`` or elsewhere, each time with other noise."""
    street = cv2.resize(STREET, (side, side * 9 // 16), interpolation=cv2.INTER_AREA).astype(np.float32)
    street += np.random.default_rng(seed).normal(0, 3, street.shape)
    seen = np.clip(street, 0, 255).astype(np.uint8)
    if dark:
        seen[:80] = np.clip(170 + street[:80] / 6, 0, 255)
    ink = np.zeros(seen.shape[:2], np.uint8)
    cv2.putText(ink, text, corner, font, scale, 255, 1, cv2.LINE_AA)
    if not dark:
        seen[cv2.dilate(ink, np.ones((3, 3), np.uint8)) > 128] = 10
    share = ink[:, :, None].astype(np.float32) / 255
    return (seen * (1 - share) + (12 if dark else 250) * share).astype(np.uint8)


def cut(text: str, seed: int, *, dark: int = 0, wider: int = 0) -> Picture:
    """The box of that line in a JPEG of quality 70, drawn ``wider`` by so many pixels on its right."""
    wide = cv2.getTextSize(text, FONT, SCALE, 1)[0][0] + 8 + wider
    seen = cv2.imencode(".jpg", picture(text, seed, dark=dark), (cv2.IMWRITE_JPEG_QUALITY, 70))[1]
    grey = cv2.imdecode(seen, cv2.IMREAD_GRAYSCALE)
    return np.asarray(grey[26:57, 36 : 36 + wide], dtype=np.uint8)


def read(shown: Sequence[datetime], at: Sequence[datetime], **drawn: int) -> dict[str, float]:
    newest = [
        (cut(written(one), SEED + n, **drawn), taken) for n, (one, taken) in enumerate(zip(shown, at, strict=True))
    ]
    known = [(cut(written(one), 20 + n, **drawn), one) for n, one in enumerate(BEFORE)]
    return clock.read(newest, known, PLAIN) or {}


@pytest.mark.parametrize("drawn", [{"dark": True}, {"wider": 200}], ids=["dark letters", "a wide box"])
@pytest.mark.parametrize("wrong", [timedelta(0), timedelta(minutes=-2), timedelta(hours=1), timedelta(days=365)])
def test_dark_letters_and_letters_in_a_box_drawn_by_hand_are_read(drawn: dict[str, int], wrong: timedelta) -> None:
    found = read([NOON + wrong], [NOON], **drawn)
    assert found["seconds_off"] == wrong.total_seconds()
    assert found["sure"] >= 0.5


@pytest.mark.parametrize("seconds", [4, 10])
def test_a_clock_that_has_stood_for_seconds_only_is_told_from_one_that_runs(seconds: int) -> None:
    later = NOON + timedelta(seconds=seconds)
    assert read([NOON, NOON], [NOON, later])["stopped"] == 1
    assert read([NOON, later], [NOON, later])["stopped"] == 0


def test_a_clock_of_half_days_is_right_in_the_afternoon_and_wrong_by_what_it_shows() -> None:
    layout = "DD/MM/YYYY HH:MM:SS AM/PM"
    afternoon = NOON + timedelta(hours=4)
    known = [(cut(written(at, layout), 20 + n), at) for n, at in enumerate(BEFORE)]
    for wrong in (0, 3600):
        shown = written(afternoon + timedelta(seconds=wrong), layout)
        found = clock.read([(cut(shown, SEED), afternoon)], known, layout)
        assert found is not None
        assert (found["seconds_off"], found["sure"] >= 0.5) == (wrong, True)


BOX = Osd((36, 26, 380, 31), PLAIN)


def jpeg(shown: datetime, seed: int, **drawn: Any) -> bytes:
    seen = picture(written(shown), seed, **drawn)
    return cv2.imencode(".jpg", seen, (cv2.IMWRITE_JPEG_QUALITY, 70))[1].tobytes()


def told(
    examiner: Examiner, frame: bytes, references: Sequence[bytes], at: datetime, osd: Osd = BOX
) -> Mapping[str, float]:
    found = examiner.examine([frame], references, [at], BEFORE[: len(references)], osd)["clock"]
    assert isinstance(found, dict)
    return found


LEARNED = [jpeg(one, 20 + n) for n, one in enumerate(BEFORE)]


SMALL = Osd((36, 30, 250, 28), PLAIN)


def small(shown: datetime, seed: int, down: int = 0) -> bytes:
    """A JPEG with a clock of small letters, so far ``down`` from where ``SMALL`` has it."""
    seen = picture(written(shown), seed, scale=0.6, side=1920, corner=(40, 50 + down))
    return cv2.imencode(".jpg", seen, (cv2.IMWRITE_JPEG_QUALITY, 80))[1].tobytes()


@pytest.mark.parametrize("down", [0, 1000], ids=["above", "below"])
def test_a_clock_of_small_letters_is_read_at_the_full_size_of_the_picture(down: int) -> None:
    left, top, wide, high = SMALL.box
    osd = Osd((left, top + down, wide, high), PLAIN)
    references = [small(at, 20 + n, down) for n, at in enumerate(BEFORE)]
    examiner = Examiner(Decoder())
    for hours in (2, 0, 2):
        found = told(examiner, small(NOON + timedelta(hours=hours), SEED + hours, down), references, NOON, osd)
        assert (found["seconds_off"], found["sure"] >= 0.5) == (3600 * hours, True)


def test_what_is_masked_of_a_clock_is_not_read() -> None:
    references = [small(at, 20 + n) for n, at in enumerate(BEFORE)]
    mask = (((0.0, 0.0), (0.2, 0.0), (0.2, 0.1), (0.0, 0.1)),)
    found = Examiner(Decoder()).examine([small(NOON, SEED)], references, [NOON], BEFORE, SMALL, hidden=mask)["clock"]
    assert isinstance(found, dict)
    assert found["sure"] == 0


def acquainted() -> Examiner:
    """One that has seen the camera's clock right."""
    examiner = Examiner(Decoder())
    assert told(examiner, jpeg(NOON, SEED), LEARNED, NOON)["sure"] >= 0.5
    return examiner


LATER = [NOON + timedelta(days=n, hours=5 * n, minutes=11 * n, seconds=7 * n) for n in range(1, 8)]


def test_a_known_camera_says_what_one_says_that_is_seen_for_the_first_time() -> None:
    examiner = acquainted()
    for n, at in enumerate(LATER):
        shown = jpeg(at + timedelta(seconds=3 * n), SEED + n)
        known, first = told(examiner, shown, LEARNED, at), told(Examiner(Decoder()), shown, LEARNED, at)
        assert known["seconds_off"] == first["seconds_off"] == 3 * n
        assert min(known["sure"], first["sure"]) >= 0.5


def test_a_right_clock_of_a_known_camera_is_not_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    examiner = acquainted()
    monkeypatch.setattr(clock, "read", None)
    for n, at in enumerate(LATER):
        assert told(examiner, jpeg(at, SEED + n), LEARNED, at)["seconds_off"] == 0


@pytest.mark.parametrize(
    "wrong", [timedelta(minutes=-2), timedelta(minutes=8), timedelta(hours=1), timedelta(days=1), timedelta(days=-365)]
)
def test_a_clock_of_a_known_camera_is_told_as_soon_as_it_is_wrong(wrong: timedelta) -> None:
    examiner = acquainted()
    for n, at in enumerate(LATER[:3]):
        found = told(examiner, jpeg(at + wrong, SEED + n), LEARNED, at)
        assert (found["seconds_off"], found["sure"] >= 0.5) == (wrong.total_seconds(), True)


def test_a_clock_of_a_known_camera_that_stands_between_two_frames_is_told() -> None:
    examiner, later = acquainted(), NOON + timedelta(seconds=30)
    for shown, stands in ((NOON, 1), (later, 0)):
        frames = [jpeg(NOON, SEED), jpeg(shown, SEED + 1)]
        found = examiner.examine(frames, LEARNED, [NOON, later], BEFORE, BOX)["clock"]
        assert isinstance(found, dict)
        assert found["stopped"] == stands


@pytest.mark.parametrize(
    "drawn", [{"font": cv2.FONT_HERSHEY_SIMPLEX}, {"corner": (46, 52)}], ids=["another font", "another place"]
)
def test_a_known_camera_that_writes_otherwise_from_now_on_is_never_wrong_and_read_once_pictures_are_accepted(
    drawn: dict[str, Any],
) -> None:
    examiner = acquainted()
    for n, at in enumerate(LATER):
        assert told(examiner, jpeg(at, SEED + n, **drawn), LEARNED, at)["sure"] < 0.5
    anew = [jpeg(one, 20 + n, **drawn) for n, one in enumerate(BEFORE)]
    for n, at in enumerate(LATER[:4]):
        hours = n % 2
        found = told(examiner, jpeg(at + timedelta(hours=hours), SEED + n, **drawn), anew, at)
        assert (found["seconds_off"], found["sure"] >= 0.5) == (3600 * hours, True)


def test_a_known_camera_whose_letters_moved_a_little_is_read() -> None:
    examiner = acquainted()
    for n, at in enumerate(LATER[:4]):
        hours = n % 2
        found = told(examiner, jpeg(at + timedelta(hours=hours), SEED + n, corner=(41, 51)), LEARNED, at)
        assert (found["seconds_off"], found["sure"] >= 0.5) == (3600 * hours, True)


GLARE = cv2.imencode(".jpg", np.full((540, 960, 3), 250, np.uint8))[1].tobytes()


def test_a_clock_is_told_as_soon_as_a_glare_is_over() -> None:
    examiner = acquainted()
    for at in LATER:
        assert told(examiner, GLARE, LEARNED, at)["sure"] == 0
    wrong = told(examiner, jpeg(NOON + timedelta(hours=1), SEED), LEARNED, NOON)
    assert (wrong["seconds_off"], wrong["sure"] >= 0.5) == (3600, True)


def test_where_nothing_stands_it_is_looked_for_now_and_then_until_other_pictures_are_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    examiner, read = Examiner(Decoder()), Mock(wraps=clock.read)
    monkeypatch.setattr(clock, "read", read)
    for at in LATER * 4:
        assert told(examiner, jpeg(at, SEED), [GLARE] * 3, at)["sure"] == 0
    assert 3 <= read.call_count <= 7
    assert told(examiner, jpeg(NOON, SEED), LEARNED, NOON)["sure"] >= 0.5


def test_a_minute_less_a_second_is_no_fault_of_a_clock() -> None:
    for seconds in (-59, 59):
        found = read([NOON + timedelta(seconds=seconds)], [NOON])
        assert abs(found["seconds_off"]) < 60
