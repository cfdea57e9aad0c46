"""What wear, weather and lightning do to a camera, and what its makers show when they have nothing to show.

Each is made from its cause and none of the judge's limits was set by them. Faults of the glass are laws of linear
light, those of the sensor and of the encoder laws of levels 0 to 255. Severity as in ``faults``.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import av
import cv2
import numpy as np

from tests.picture.camera import Light
from tests.picture.faults import Fault, _between, _field
from tests.picture.mixed import _before, _grid, _light, _near

Random = np.random.Generator
_SLICES = 12


def cap_with_leak(light: Light, severity: float, random: Random) -> Light:
    """The cap is on, and some light creeps in at its rim."""
    x, y = _grid(light)
    height, width = light.shape[:2]
    turn = random.uniform(0, 2 * np.pi)
    rim = np.hypot(x - width * (0.5 + 0.6 * np.cos(turn)), y - height * (0.5 + 0.6 * np.sin(turn))) / width
    leak = np.exp(-rim / 0.12) * _between(0.25, 0.02, severity)
    return _light(leak[:, :, None] * light.mean(axis=(0, 1)) + 0.0005)


def snow_on_dome(light: Light, severity: float, random: Random) -> Light:
    """Wet snow that has stuck to the dome: white, far out of focus, lit from behind, thinner towards its border."""
    x, y = _grid(light)
    height, width = light.shape[:2]
    turn = random.uniform(-0.5, 0.5)
    depth = (y / height - 0.5) * np.cos(turn) + (x / width - 0.5) * np.sin(turn)
    depth = depth + 0.35 * (_field(light.shape, 0.12, random) - 0.5)
    border = np.quantile(depth, 0.25 + 0.6 * severity)
    thick = _near(_light(np.clip((border - depth) / 0.15, 0, 1)), 0.012)
    white = light.mean() * random.uniform(1.2, 2.2) * (0.8 + 0.3 * _near(_field(light.shape, 0.05, random), 0.012))
    return _before(light, _light(thick * 0.97), white[:, :, None] * np.array((1.05, 1.0, 0.97)))


def sun_burn(light: Light, severity: float, random: Random) -> Light:
    """The sun's daily ways burnt into the sensor's colour filters: arcs of spots that see less, and another colour."""
    height, width = light.shape[:2]
    burnt = np.zeros((height, width), np.float32)
    for day in range(2 + round(6 * severity)):
        t = np.linspace(0, 1, 60)
        top = random.uniform(0.05, 0.35) + 0.03 * day
        way = np.stack((t * width, (top + 1.2 * (t - random.uniform(0.4, 0.6)) ** 2) * height), axis=1)
        for place in way[random.random(60) < 0.35 + 0.6 * severity]:
            centre = int(place[0]), int(place[1])
            cv2.circle(burnt, centre, max(2, round(random.uniform(0.004, 0.012) * width)), 1.0, -1)
    burnt = cv2.GaussianBlur(burnt, (0, 0), 0.0015 * width)[:, :, None]
    return _light(light * (1 - burnt * (0.3 + 0.5 * severity) * np.array((0.5, 1.0, 0.2))))


def overgrown(light: Light, severity: float, random: Random) -> Light:
    """A tree has grown before the camera: leaves an arm's length away, in the sun, each out of focus."""
    height, width = light.shape[:2]
    mask, shown = np.zeros((height, width), np.float32), np.zeros((height, width, 3), np.float32)
    begin = np.array((random.choice((0.0, width)), random.uniform(0, height)))
    while mask.mean() < 0.2 + 0.55 * severity:
        at = begin + random.normal(0, 0.5, 2) * (width, height)
        centre, axes = (int(at[0]), int(at[1])), (int(random.uniform(0.03, 0.08) * width), int(0.02 * width))
        turn, shade = float(random.uniform(0, 180)), random.uniform(0.02, 0.5) * np.array((0.25, 1.0, 0.5))
        cv2.ellipse(mask, centre, axes, turn, 0, 360, 1.0, -1)
        cv2.ellipse(shown, centre, axes, turn, 0, 360, tuple(float(v) for v in shade), -1)
    blurred = _near(mask, 0.004)
    return _light(light * (1 - blurred[:, :, None]) + _near(shown, 0.004))


def dead_lines(levels: Light, severity: float, random: Random) -> Light:
    """Rows and columns of the sensor that have failed: each one level from border to border, in a colour of its own."""
    dead = levels.copy()
    for _ in range(1 + round(14 * severity)):
        level = np.float32(random.choice((0, 255))) * (random.random(3) < 0.6)
        if random.random() < 0.5:
            dead[int(random.integers(0, levels.shape[0]))] = level
        else:
            dead[:, int(random.integers(0, levels.shape[1]))] = level
    return dead


def stuck_bit(levels: Light, severity: float, random: Random) -> Light:
    """Lightning: one bit of the converter stands at 0 for good, in half of the columns or in all."""
    bit = (8, 32, 64)[round(2 * severity)]
    whole = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    shut = whole & np.uint8(255 - bit)
    if random.random() < 0.5:
        shut[:, ::2] = whole[:, ::2]
    return _light(shut)


def fields_apart(levels: Light, severity: float, random: Random) -> Light:
    """Two fields of a picture that do not belong together: every second row stands beside its place."""
    apart = levels.copy()
    apart[1::2] = np.roll(apart[1::2], round(_between(0.004, 0.03, severity) * levels.shape[1]), axis=1)
    return apart


def starved(levels: Light, severity: float, random: Random) -> Light:
    """An encoder without the bits that it needs: nothing but its blocks is left (quantiser 42 to 51)."""
    return _decoded(_key_frame(levels, round(42 + 9 * severity)), levels)


def cut_key_frame(levels: Light, severity: float, random: Random) -> Light:
    """A key frame of which the last slices never came, as a decoder shows it that has seen no other."""
    slices = _key_frame(levels, 24).split(b"\x00\x00\x01")[1:]
    kept = [one for one in slices if one[0] & 31 != 5]
    coded = [one for one in slices if one[0] & 31 == 5]
    kept += coded[: max(1, round(len(coded) * (0.85 - 0.6 * severity)))]
    return _decoded(b"".join(b"\x00\x00\x01" + one for one in kept), levels)


def _key_frame(levels: Light, quantiser: int) -> bytes:
    height, width = (side // 2 * 2 for side in levels.shape[:2])
    coder = av.CodecContext.create("libx264", "w")
    assert isinstance(coder, av.VideoCodecContext)
    coder.width, coder.height, coder.pix_fmt, coder.time_base = width, height, "yuv420p", Fraction(1, 5)
    coder.options = {"preset": "veryfast", "tune": "zerolatency", "x264-params": f"slices={_SLICES}:qp={quantiser}"}
    picture = np.clip(levels[:height, :width], 0, 255).astype(np.uint8)
    packets = [*coder.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")), *coder.encode(None)]
    return b"".join(bytes(packet) for packet in packets)


def _decoded(coded: bytes, levels: Light) -> Light:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.options = {"flags": "+output_corrupt"}
    shown = levels.copy()
    for frame in [*decoder.decode(av.Packet(coded)), *decoder.decode(None)]:
        picture = frame.to_ndarray(format="bgr24").astype(np.float32)
        shown[: picture.shape[0], : picture.shape[1]] = picture
    return shown


def bouncing_logo(size: tuple[int, int], random: Random) -> Light:
    """A maker's name that wanders over black."""
    shown = np.zeros((size[1], size[0], 3), np.uint8)
    at = int(random.uniform(0.05, 0.5) * size[0]), int(random.uniform(0.2, 0.9) * size[1])
    colour = tuple(float(v) for v in random.uniform(80, 255, 3))
    cv2.putText(shown, "VISION", at, cv2.FONT_HERSHEY_TRIPLEX, size[1] / 220, colour, 3, cv2.LINE_AA)
    cv2.circle(shown, (at[0], at[1]), size[1] // 12, colour, -1, cv2.LINE_AA)
    return shown.astype(np.float32)


def four_quarters(size: tuple[int, int], random: Random) -> Light:
    """A recorder's mosaic of four channels, none of which has a signal."""
    width, height = size
    shown = np.full((height, width, 3), random.uniform(10, 60, 3), np.float32).astype(np.uint8)
    shown[height // 2 - 1 : height // 2 + 1] = shown[:, width // 2 - 1 : width // 2 + 1] = 200
    for n in range(4):
        at = width // 8 + n % 2 * width // 2, height // 4 + n // 2 * height // 2
        cv2.putText(shown, "VIDEO LOSS", at, cv2.FONT_HERSHEY_SIMPLEX, height / 700, (230, 230, 230), 2, cv2.LINE_AA)
    return shown.astype(np.float32)


def analogue_snow(size: tuple[int, int], random: Random) -> Light:
    """A receiver without a carrier: noise of its own, line by line, in grey."""
    noise = cv2.GaussianBlur(random.normal(0, 1, size[::-1]).astype(np.float32), (0, 0), sigmaX=1.0, sigmaY=0.1)
    return np.repeat(np.clip(110 + noise / noise.std() * 70, 0, 255)[:, :, None], 3, axis=2).astype(np.float32)


def shaded_sign(size: tuple[int, int], random: Random) -> Light:
    """A sign on a ground that fades into its corners, as players draw it."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot(x / width - 0.5, y / height - 0.5)[:, :, None]
    ground = random.uniform(30, 90) * (1 - 0.9 * away) * random.uniform(0.6, 1.3, 3)
    shown = np.clip(ground, 0, 255).astype(np.uint8)
    cv2.rectangle(
        shown, (width * 45 // 100, height * 38 // 100), (width * 55 // 100, height * 48 // 100), (200,) * 3, 3
    )
    at = width * 33 // 100, height * 62 // 100
    cv2.putText(shown, "Signal lost", at, cv2.FONT_HERSHEY_DUPLEX, height / 400, (220, 220, 220), 2, cv2.LINE_AA)
    return shown.astype(np.float32)


Worn = dict[str, tuple[Fault, frozenset[str]]]
LENS: Worn = {
    "cap_with_leak": (cap_with_leak, frozenset({"dark", "covered", "no_signal"})),
    "snow_on_dome": (snow_on_dome, frozenset({"covered", "dirty", "blurred", "low_contrast", "overexposed"})),
    "sun_burn": (sun_burn, frozenset({"dirty", "covered", "colour_cast"})),
    "overgrown": (overgrown, frozenset({"covered"})),
}
"""What happens before the sensor, and the causes that are right."""
SENSOR: Worn = {
    "dead_lines": (dead_lines, frozenset({"striped"})),
    "stuck_bit": (stuck_bit, frozenset({"striped", "corrupt", "noisy", "colour_cast", "dark"})),
    "fields_apart": (fields_apart, frozenset({"striped", "corrupt", "blurred"})),
}
"""What happens in the sensor and behind it, before the clock is burnt in."""
WIRE: Worn = {
    "starved": (starved, frozenset({"corrupt", "blurred"})),
    "cut_key_frame": (cut_key_frame, frozenset({"corrupt"})),
}
"""What happens to the stream."""
SCREENS: dict[str, tuple[Callable[[tuple[int, int], Random], Light], frozenset[str]]] = {
    "bouncing_logo": (bouncing_logo, frozenset({"no_signal"})),
    "four_quarters": (four_quarters, frozenset({"no_signal"})),
    "analogue_snow": (analogue_snow, frozenset({"no_signal", "noisy"})),
    "shaded_sign": (shaded_sign, frozenset({"no_signal"})),
}
"""What is shown in place of a picture."""
