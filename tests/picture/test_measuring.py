"""Each measure gives, in its unit, what was put into the picture."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta

import cv2
import numpy as np
import pytest

from probes.picture.measuring import clock, comparison, lettering, light, pattern, profiles, sequence, sharpness
from probes.picture.measuring.imprint import imprint
from probes.picture.measuring.sheet import Picture, Sheet, Still, prepare, still, tiles
from tests.picture import generated
from tests.picture.camera import Camera, levels_of, light_of
from tests.picture.other_cases import DotCamera

STREET = generated.street(3).pictures[0]
NOW = datetime(2026, 10, 31, 8, 15, 42)  # noqa: DTZ001 - a camera's local time has no zone


def sheet(levels: np.ndarray) -> Sheet:
    return prepare(np.clip(np.rint(levels), 0, 255).astype(np.uint8))


def grey(plane: np.ndarray) -> np.ndarray:
    return np.repeat(plane[:, :, None], 3, axis=2)


def compared(ours: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    one, other = (comparison.prepare(seen, sharpness.noise(seen)["noise"]) for seen in (sheet(ours), sheet(theirs)))
    return comparison.compare(one, other).measures


@pytest.mark.parametrize("deviation", [2.0, 5.0, 12.0])
def test_noise_is_measured_in_levels(deviation: float) -> None:
    noise = np.random.default_rng(1).normal(0, deviation, (360, 640))
    assert sharpness.noise(sheet(grey(120 + noise)))["noise"] == pytest.approx(deviation, rel=0.1)


@pytest.mark.parametrize("width", [1.0, 1.6, 2.4])
def test_edges_are_measured_in_pixels_whatever_their_contrast(width: float) -> None:
    steps = np.where((np.arange(640) // 40) % 2, 90.0, 150.0)[None, :] + np.zeros((360, 1))
    steps[:, 320:] = steps[:, 320:] * 1.4 - 40
    found = sharpness.edges(sheet(grey(cv2.GaussianBlur(steps, (0, 0), width))), 0.0)
    assert found["edge_width"] == pytest.approx(np.hypot(width, sharpness.SOBEL), rel=0.15)


def test_reblur_rises_with_blur() -> None:
    measured = [sharpness.reblur(sheet(cv2.GaussianBlur(STREET, (0, 0), s).astype(float))) for s in (0.5, 2, 5)]
    assert measured == sorted(measured)
    assert measured[0] < 0.35
    assert measured[2] > 0.55


def test_one_thing_in_focus_shows_that_the_lens_is_and_soft_shadows_do_not_blur_it() -> None:
    soft = cv2.GaussianBlur(STREET, (0, 0), 4).astype(float)
    assert 0 < sharpness.keen(sheet(soft), 0.0) < 0.14
    soft[100:400, 300:700] = STREET[100:400, 300:700]
    assert sharpness.keen(sheet(soft), 0.0) > 0.2
    assert sharpness.keen(sheet(np.full((360, 640, 3), 120.0)), 0.0) == 0


def test_shake_spares_its_own_direction_alone() -> None:
    assert 0 < sharpness.keen(sheet(cv2.blur(STREET, (25, 1)).astype(float)), 0.0) < 0.16


def test_noise_of_a_sensor_is_even_and_texture_is_not() -> None:
    random = np.random.default_rng(1)
    drawn = random.normal(0, 8, (360, 640))
    assert sharpness.noise(sheet(grey(120 + drawn)))["even"] > 0.85
    leaves = drawn * np.linspace(0.2, 2, 640)[None, :]
    assert sharpness.noise(sheet(grey(120 + leaves)))["even"] < 0.6


def test_a_cast_shifts_everything_and_leaves_shine_white() -> None:
    def shifted(picture: np.ndarray) -> float:
        return light.shift(sheet(picture))

    assert shifted(STREET) < 0.3
    # A half of blue's light is 0.69 in logarithms.
    halved = light_of(STREET) * np.array((0.5, 1, 1))
    assert shifted(levels_of(halved.astype(np.float32))) > shifted(STREET) + 0.3
    leaves = np.full((360, 640, 3), (20.0, 110.0, 60.0)) + np.random.default_rng(1).normal(0, 4, (360, 640, 1))
    assert shifted(leaves) > 1
    leaves[np.arange(360) % 40 < 8] = (190, 200, 195)
    assert shifted(leaves) < 0.2


@pytest.mark.parametrize("shape", [(360, 640), (359, 631), (2403, 640)])
def test_a_tile_knows_its_share_of_text_to_the_pixel(shape: tuple[int, int]) -> None:
    clear = np.random.default_rng(1).random(shape) > 0.3
    clear[: shape[0] // 3] = True
    np.testing.assert_allclose(tiles(clear), tiles(clear.astype(np.float32)), rtol=1e-5)
    assert tiles(clear)[1, 4] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("high", "wide"), [(360, 640), (359, 631), (2403, 640)])
def test_an_imprint_shows_in_which_tile_a_level_has_changed(high: int, wide: int) -> None:
    levels = np.random.default_rng(1).integers(40, 200, (high, wide), dtype=np.uint8)
    clear = np.ones((high, wide), np.bool_)
    clear[high // 2, wide // 2] = False
    changed = levels.copy()
    # In the third row of tiles and the fifth column, in the middle.
    changed[high * 5 // 18, wide * 9 // 32] ^= 128
    codes = [
        np.frombuffer(base64.b64decode(str(imprint(Still(one, clear))["tiles"])), np.uint8) for one in (levels, changed)
    ]
    before, after = (code.reshape(9, 16) for code in codes)
    assert np.argwhere(before != after).tolist() == [[2, 4]]
    # Where cameras write nothing is told, nor where text is found.
    assert np.argwhere(before == 0).tolist() == [[0, n] for n in range(16)] + [[4, 8]] + [[8, n] for n in range(16)]


@pytest.mark.parametrize("green", [135, 77])
def test_memory_that_was_never_written_is_green(green: int) -> None:
    broken = STREET.copy()
    broken[200:264] = (0, green, 0)
    coded = cv2.imdecode(cv2.imencode(".jpg", broken, (cv2.IMWRITE_JPEG_QUALITY, 60))[1], cv2.IMREAD_COLOR)
    assert pattern.unwritten(sheet(coded).small) == pytest.approx(64 / 540, abs=0.04)
    assert pattern.unwritten(sheet(STREET).small) == 0


@pytest.mark.parametrize("periods", [2.0, 3.3, 6.0])
def test_hum_is_one_sine_from_border_to_border(periods: float) -> None:
    y = np.arange(540)[:, None, None] / 540
    hum = STREET * np.exp(0.5 * np.sin(2 * np.pi * periods * y + 1))
    assert profiles.hum(sheet(hum).profiles) > 0.6
    assert profiles.hum(sheet(STREET).profiles) < 0.4
    one_side = STREET.astype(float)
    one_side[:, :320] = hum[:, :320]
    assert profiles.hum(sheet(one_side).profiles) < 0.4


@pytest.mark.parametrize(("across", "down"), [(0.0, 20.0), (31.0, 9.0)])
def test_a_wave_is_found_with_its_amplitude(across: float, down: float) -> None:
    y, x = np.mgrid[0:360, 0:640]
    wave = 12 * np.sin(2 * np.pi * (x / 640 * across + y / 360 * down))
    found = pattern.waves(sheet(STREET[:360, :640] * 0.7 + 40 + wave[:, :, None]).half)
    assert found["wave"] == pytest.approx(12, rel=0.35)
    assert found["wave_prominence"] > 10


def test_a_ledge_that_ends_and_a_crest_that_turns_are_no_lost_lines_and_a_shelf_no_break() -> None:
    ledges = STREET.astype(float)
    for row in range(20, 520, 25):
        ledges[row : row + 2, :720] = 0
    ripples = STREET.astype(float)
    x = np.arange(960)
    for row in range(20, 520, 10):
        ripples[(row + 3 * np.sin(x / 90)).astype(int), x] -= 60
    for levels in (ledges, ripples):
        assert pattern.lines(sheet(levels).grey)["torn_rows"] == 0
    assert pattern.blocks(sheet(ledges))["breaks"] == 0


def test_two_fields_that_do_not_belong_together_are_combed_and_noise_is_not() -> None:
    woven = STREET[:, :640].astype(float)
    woven[1::2] = np.roll(woven[1::2], 12, axis=1)
    noisy = STREET[:, :640] + np.random.default_rng(1).normal(0, 60, (540, 640, 3))
    assert pattern.combed(sheet(woven)) > 1.5
    assert pattern.combed(sheet(noisy)) < 1.1
    assert pattern.combed(sheet(STREET)) < 1


def test_lost_lines_are_counted_and_noise_is_not() -> None:
    torn = STREET.astype(float)
    torn[np.arange(20, 520, 25)] = 0
    torn[np.arange(21, 520, 25)] = 0
    assert pattern.lines(sheet(torn).grey)["torn_rows"] > 0.03
    noisy = STREET + np.random.default_rng(1).normal(0, 40, STREET.shape)
    assert pattern.lines(sheet(noisy).grey)["torn_rows"] == 0


@pytest.mark.parametrize(("x", "y"), [(40, 0), (-60, 25), (9, -45)])
def test_a_shift_is_measured_as_a_share_of_the_width(x: int, y: int) -> None:
    moved = cv2.warpAffine(STREET, np.array(((1, 0, x), (0, 1, y)), float), (960, 540), borderMode=cv2.BORDER_REFLECT)
    found = compared(moved, STREET)
    assert found["displacement"] == pytest.approx(np.hypot(x, y * 960 / 540 * 9 / 16) / 960, abs=0.004)
    assert found["agreement"] > 0.6 > found["still_agreement"]


def test_a_turn_is_found_where_a_shift_explains_nothing() -> None:
    turned = cv2.warpAffine(STREET, cv2.getRotationMatrix2D((480, 270), 9, 1.1), (960, 540))
    found = compared(turned, STREET)
    assert found["displacement"] > 0.05
    assert found["agreement"] > 0.5


def test_a_cast_is_measured_as_log_ratios_and_paleness_is_none() -> None:
    found = compared(STREET * np.array((0.75, 1.0, 1.0)), STREET.astype(float))
    assert found["cast"] == pytest.approx(-np.log(0.75), abs=0.06)
    pale = STREET * 0.5 + 0.5 * STREET.mean(axis=2, keepdims=True)
    assert compared(pale, STREET.astype(float))["cast"] < 0.1


def test_gain_contrast_and_spread_compare_the_light() -> None:
    found = compared(STREET * 0.4 + 60, STREET.astype(float))
    assert found["contrast"] == pytest.approx(0.4, abs=0.03)
    assert found["contrast_fit"] > 0.99
    assert compared(STREET * 0.5, STREET.astype(float))["gain"] == pytest.approx(0.5, abs=0.03)


def test_clipping_is_a_share_of_the_picture() -> None:
    half = STREET.astype(float) * 0.6
    half[:270] = 255
    assert light.light(sheet(half))["clipped"] == pytest.approx(0.5, abs=0.02)


def test_burnt_in_text_is_kept_out_of_what_is_measured() -> None:
    camera = Camera()
    levels = camera.burn_in(np.full((540, 960, 3), 90, np.float32), NOW)
    assert light.light(sheet(levels))["p99"] < 100


def test_rows_drawn_down_and_blocks_out_of_place_are_counted_and_a_whole_picture_has_neither() -> None:
    whole = pattern.blocks(sheet(STREET.astype(float)))
    assert whole["dragged"] < 0.02
    assert whole["breaks"] <= 1
    dragged = STREET.astype(float).copy()
    dragged[320:] = dragged[319]
    assert pattern.blocks(sheet(dragged))["dragged"] == pytest.approx(1 - 320 / 540, abs=0.02)
    shifted = STREET.astype(float).copy()
    for row in (128, 256, 400):
        shifted[row : row + 32] = np.roll(shifted[row : row + 32], 300, axis=1)
    assert 2 <= pattern.blocks(sheet(shifted))["breaks_on_grid"] <= 6


def test_a_fence_stands_somewhere_and_a_wave_is_everywhere() -> None:
    x = np.arange(640)
    wave = 12 * np.sin(2 * np.pi * x / 16)[None, :] + np.zeros((360, 1))
    fence = wave.copy()
    fence[:, :380] = 0
    spread = [pattern.waves(sheet(grey(120 + plane)).half)["wave_spread"] for plane in (wave, fence)]
    assert spread[0] > 0.8
    assert spread[1] < 0.3


def test_pixels_that_shine_in_one_colour_are_told_from_texture() -> None:
    hot = STREET.astype(float).copy()
    random = np.random.default_rng(2)
    hot[random.integers(0, 540, 12000), random.integers(0, 960, 12000), 2] = 255
    assert sharpness.noise(sheet(STREET.astype(float)))["hot"] < 0.001
    assert sharpness.noise(sheet(hot))["hot"] > 0.004


def test_a_misted_patch_is_dulled_and_a_shaded_one_is_not() -> None:
    street = STREET.astype(np.float32)
    misted, shaded = street.copy(), street.copy()
    place = (slice(300, 480), slice(200, 500))
    misted[place] = cv2.GaussianBlur(street, (0, 0), 7)[place] * 0.5 + 60
    shaded[place] *= 0.6
    found = [compared(seen, street) for seen in (misted, shaded)]
    faded = [one["dulled"] + one["lost"] for one in found]
    assert faded[0] > 0.06
    assert faded[1] < 0.02


def test_what_stood_in_one_reference_alone_is_known_by_the_others_and_can_not_go_missing() -> None:
    plain = np.full_like(STREET, 120, np.float32)
    plain[:200] = STREET[:200]
    parked = plain.copy()
    parked[280:480, 200:520] = STREET[120:320, 400:720]
    full, empty = (comparison.prepare(seen, sharpness.noise(seen)["noise"]) for seen in (sheet(parked), sheet(plain)))
    assert comparison.passing(full, [full]) is None
    besides = comparison.passing(full, [empty])
    assert besides is not None
    assert not besides.tiles[:4].any()
    gone = comparison.compare(empty, full).measures["hidden"]
    left = comparison.compare(empty, full, besides).measures["hidden"]
    assert gone > 0.15
    assert left < 0.02


def test_frames_with_fresh_noise_differ_and_held_ones_do_not() -> None:
    def frames(*seeds: int) -> list[Still]:
        noisy = (STREET + np.random.default_rng(seed).normal(0, 2, STREET.shape) for seed in seeds)
        return [still(np.clip(picture, 0, 255).astype(np.uint8)) for picture in noisy]

    assert sequence.between(frames(1, 2, 3))["same"] < 0.4
    assert sequence.between(frames(1, 1, 1)) == {"same": 1.0, "told": pytest.approx(0.2, abs=0.2), "difference": 0.0}


def test_no_more_frames_are_asked_for_once_two_are_of_a_live_sensor() -> None:
    def frames() -> Iterator[Still]:
        for seed in (1, 2):
            noisy = STREET + np.random.default_rng(seed).normal(0, 2, STREET.shape)
            yield still(np.clip(noisy, 0, 255).astype(np.uint8))
        raise AssertionError("a third frame was decoded")

    assert sequence.between(frames())["same"] < 0.4


def clock_cut(camera: Camera, shown: datetime) -> Picture:
    levels = camera.burn_in(camera.expose(light_of(STREET // 2), np.random.default_rng(4)), shown)
    x, y, width, height = camera.box(levels.shape)
    return levels[y : y + height, x : x + width].mean(axis=2).astype(np.uint8)


@pytest.mark.parametrize("wrong", [timedelta(0), timedelta(hours=-7, seconds=3), timedelta(days=-5)])
def test_a_clock_is_read_by_digits_learned_from_references(wrong: timedelta) -> None:
    camera = Camera()
    known = [
        (clock_cut(camera, NOW - timedelta(days=n, hours=3 * n)), NOW - timedelta(days=n, hours=3 * n))
        for n in (1, 2, 5)
    ]
    found = clock.read([(clock_cut(camera, NOW + wrong), NOW)], known, "YYYY-MM-DD HH:MM:SS")
    assert found is not None
    assert found["seconds_off"] == wrong.total_seconds()
    assert found["sure"] >= 0.5


def test_upright_bars_where_a_clock_should_stand_are_no_digits() -> None:
    text = "2026-06-10 12:00:05"
    bars = np.zeros((lettering.HEIGHT, 20 * len(text)), np.uint8)
    for place in (n for n, letter in enumerate(text) if letter.isdigit()):
        bars[:, 20 * place + 3 : 20 * place + 17] = 255
    assert lettering.find([bars], text, 1) is None


@pytest.mark.parametrize("late", [1, 7, 40])
def test_a_clock_that_is_some_seconds_off_teaches_no_digit_for_another(late: int) -> None:
    camera = Camera()
    off = timedelta(seconds=late)
    known = [(clock_cut(camera, at + off), at) for at in (NOW - timedelta(seconds=131 * n) for n in range(1, 5))]
    for minutes in range(0, 600, 37):
        at = NOW + timedelta(minutes=minutes)
        found = clock.read([(clock_cut(camera, at + off), at)], known, "YYYY-MM-DD HH:MM:SS")
        assert found is not None
        assert found["sure"] < 0.5 or abs(found["seconds_off"]) <= 60


def test_a_clock_that_stands_still_is_seen_without_reading_it() -> None:
    camera = Camera()
    frames = [(clock_cut(camera, NOW), NOW + timedelta(seconds=n)) for n in (0, 3)]
    found = clock.read(frames, [], "YYYY-MM-DD HH:MM:SS")
    assert found is not None
    assert found["stopped"] == 1


def test_where_no_clock_stands_nothing_is_read() -> None:
    assert clock.read([(np.full((30, 300), 90, np.uint8), NOW)], [], "YYYY-MM-DD HH:MM:SS") is None


def test_a_clock_of_equally_wide_letters_that_touch_is_read_with_digits_learned_from_the_camera() -> None:
    camera = DotCamera(outline=False)
    shape = (480, 640, 3)
    left, top, wide, high = camera.box(shape)

    def cut(shown: datetime) -> Picture:
        levels = camera.burn_in(np.full(shape, 90, np.float32), shown)
        seen = cv2.GaussianBlur(levels, (0, 0), 1.4)[top - 3 : top + high + 3, left - 3 : left + wide + 3, 0]
        return np.asarray(seen, dtype=np.uint8)

    known = [
        (cut(at), at) for at in (NOW - timedelta(days=n, hours=n, minutes=13 * n, seconds=7 * n) for n in range(1, 6))
    ]
    found = clock.read([(cut(NOW - timedelta(minutes=9)), NOW)], known, "YYYY-MM-DD HH:MM:SS")
    assert found is not None
    assert found["seconds_off"] == -540
    assert found["sure"] >= 0.5


@pytest.mark.parametrize("references", [0, 1])
@pytest.mark.parametrize("level", [20, 170])
@pytest.mark.parametrize("minutes", [0, -75, 171])
def test_a_clock_of_which_at_most_one_picture_was_accepted_is_read_before_dark_and_bright(
    minutes: int, level: int, references: int
) -> None:
    camera = DotCamera()
    shape = (540, 960, 3)
    left, top, wide, high = camera.box(shape)

    def cut(shown: datetime) -> Picture:
        levels = camera.burn_in(np.full(shape, level, np.float32), shown)
        seen = cv2.GaussianBlur(levels, (0, 0), 0.8)[top - 3 : top + high + 3, left - 3 : left + wide + 3, 0]
        return np.asarray(seen, dtype=np.uint8)

    before = NOW - timedelta(days=9, minutes=75)
    known = [(cut(before), before)] * references
    found = clock.read([(cut(NOW + timedelta(minutes=minutes)), NOW)], known, "YYYY-MM-DD HH:MM:SS")
    assert found is not None
    assert found["seconds_off"] == 60 * minutes
    assert found["sure"] >= 0.65
