"""A burnt-in clock is read as cameras write it and as people draw boxes about it; a right one is never called wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

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


def picture(text: str, seed: int, *, dark: int = 0, scale: float = SCALE, side: int = 960) -> Picture:
    """A street with a line of text in its upper left corner, each time with other noise."""
    street = cv2.resize(STREET, (side, side * 9 // 16), interpolation=cv2.INTER_AREA).astype(np.float32)
    street += np.random.default_rng(seed).normal(0, 3, street.shape)
    seen = np.clip(street, 0, 255).astype(np.uint8)
    if dark:
        seen[:80] = np.clip(170 + street[:80] / 6, 0, 255)
    ink = np.zeros(seen.shape[:2], np.uint8)
    cv2.putText(ink, text, (40, 50), FONT, scale, 255, 1, cv2.LINE_AA)
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


def test_a_clock_of_small_letters_is_read_at_the_full_size_of_the_picture() -> None:
    def jpeg(shown: datetime, seed: int) -> bytes:
        seen = picture(written(shown), seed, scale=0.6, side=1920)
        return cv2.imencode(".jpg", seen, (cv2.IMWRITE_JPEG_QUALITY, 80))[1].tobytes()

    osd = Osd((36, 30, 250, 28), PLAIN)
    references = [jpeg(at, 20 + n) for n, at in enumerate(BEFORE)]
    wrong = jpeg(NOON + timedelta(hours=2), SEED)
    found = Examiner(Decoder()).examine([wrong], references, [NOON], BEFORE, osd)["clock"]
    assert isinstance(found, dict)
    assert (found["seconds_off"], found["sure"] >= 0.5) == (7200, True)


def test_a_minute_less_a_second_is_no_fault_of_a_clock() -> None:
    for seconds in (-59, 59):
        found = read([NOON + timedelta(seconds=seconds)], [NOON])
        assert abs(found["seconds_off"]) < 60
