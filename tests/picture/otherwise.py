"""Faults and healthy conditions by other laws than those of ``faults`` and ``weather``, in the same units.

They were written without looking at what the judge makes of them; how it was worse here is what its limits were set by.
"""

from __future__ import annotations

import cv2
import numpy as np

from tests.picture.camera import Light
from tests.picture.faults import Fault, _between, _cover_with, _field, _filtered
from tests.picture.weather import Condition, _glow

Random = np.random.Generator


def _picture(plane: np.ndarray) -> Light:
    return np.asarray(plane, dtype=np.float32)


def gaussian(light: Light, severity: float, random: Random) -> Light:
    """A lens off its place, worse towards one side (tilt)."""
    width = light.shape[1]
    strong = cv2.GaussianBlur(light, (0, 0), _between(0.0025, 0.010, severity) * width * 1.4)
    weak = cv2.GaussianBlur(light, (0, 0), _between(0.0025, 0.010, severity) * width * 0.7)
    share = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    return _picture(weak * (1 - share) + strong * share)


def hexagon(light: Light, severity: float, random: Random) -> Light:
    """Out of focus with a six-bladed iris."""
    radius = _between(0.003, 0.013, severity) * light.shape[1]
    edge = int(np.ceil(radius)) + 1
    kernel = np.zeros((2 * edge + 1, 2 * edge + 1), np.float32)
    angles = np.arange(6) * np.pi / 3 + random.uniform(0, 1)
    corners = np.stack((edge + radius * np.cos(angles), edge + radius * np.sin(angles)), 1)
    cv2.fillConvexPoly(kernel, np.rint(corners * 16).astype(np.int32), 1.0, cv2.LINE_AA, 4)
    return _filtered(light, kernel)


def swing(light: Light, severity: float, random: Random) -> Light:
    """A mast that swings in the wind: the way of the picture is a curve."""
    length = max(5, round(_between(0.012, 0.05, severity) * light.shape[1]))
    kernel = np.zeros((length, length), np.float32)
    t = np.linspace(-1, 1, 64)
    x, y = t, 0.5 * t * t * random.uniform(-1, 1)
    turn = random.uniform(0, np.pi)
    xs = (x * np.cos(turn) - y * np.sin(turn)) * (length - 1) / 2 * 0.95 + (length - 1) / 2
    ys = (x * np.sin(turn) + y * np.cos(turn)) * (length - 1) / 2 * 0.95 + (length - 1) / 2
    for a, b in zip(np.rint(xs).astype(int), np.rint(ys).astype(int), strict=True):
        kernel[min(max(b, 0), length - 1), min(max(a, 0), length - 1)] += 1
    return _filtered(light, kernel)


def cloth(light: Light, severity: float, random: Random) -> Light:
    """A cloth or bag before the lens: folds of its own, some light comes through."""
    height, width = light.shape[:2]
    share = 0.25 + 0.7 * severity
    side = int(random.integers(0, 4))
    mask = np.zeros((height, width), np.float32)
    wavy = 0.08 * (_field(light.shape, 0.2, random) - 0.5)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    depth = (x / width, 1 - x / width, y / height, 1 - y / height)[side] + wavy
    mask[depth < np.quantile(depth, share)] = 1
    mask = cv2.GaussianBlur(mask, (0, 0), 0.006 * width)
    folds = 0.5 + 0.5 * np.sin(12 * _field(light.shape, 0.4, random) * np.pi)
    shade = random.uniform(0.03, 0.5) * (0.5 + 0.6 * cv2.GaussianBlur(folds.astype(np.float32), (0, 0), 0.01 * width))
    through = cv2.GaussianBlur(light, (0, 0), 0.06 * width) * random.uniform(0.0, 0.25)
    colour = shade[:, :, None] * random.uniform(0.6, 1.2, 3) + through
    return _cover_with(light, mask, _picture(colour))


def bubbles(light: Light, severity: float, random: Random) -> Light:
    """Bubble wrap or a scratched bag over the whole lens: what is behind is scattered, with bright rings."""
    height, width = light.shape[:2]
    blurred = cv2.GaussianBlur(light, (0, 0), (0.012 + 0.02 * severity) * width)
    rings = np.zeros((height, width), np.float32)
    step = max(8, round(0.05 * width))
    for y in range(0, height, step):
        for x in range((y // step % 2) * step // 2, width, step):
            cv2.circle(rings, (x, y), round(step * 0.42), 1.0, max(1, step // 10))
    rings = cv2.GaussianBlur(rings, (0, 0), 0.0025 * width)[:, :, None]
    clear = max(0.0, 0.35 - 0.4 * severity)
    return _picture(light * clear + blurred * (1 - clear) + rings * 0.15 * light.mean())


def branch(light: Light, severity: float, random: Random) -> Light:
    """Leaves that have grown before the lens: dark, nearly in focus, moving between frames."""
    height, width = light.shape[:2]
    mask = np.zeros((height, width), np.float32)
    begin = random.uniform(0.0, 1.0, 2) * (width, height)
    while mask.mean() < 0.3 + 0.5 * severity:
        at = np.clip(begin + random.normal(0, 0.35, 2) * (width, height), 0, (width, height))
        axes = int(random.uniform(0.03, 0.09) * width), int(random.uniform(0.01, 0.03) * width)
        cv2.ellipse(mask, (int(at[0]), int(at[1])), axes, float(random.uniform(0, 180)), 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.003 * width)
    shade = random.uniform(0.01, 0.12) * (0.5 + _field(light.shape, 0.05, random))
    return _cover_with(light, mask, _picture(shade[:, :, None] * np.array((0.4, 1.0, 0.5))))


def hand(light: Light, severity: float, random: Random) -> Light:
    """A hand or a sticker close by: one round thing, far out of focus."""
    height, width = light.shape[:2]
    mask = np.zeros((height, width), np.float32)
    centre = int(random.uniform(0.25, 0.75) * width), int(random.uniform(0.25, 0.75) * height)
    radius = np.sqrt((0.24 + 0.6 * severity) * width * height / np.pi)
    cv2.ellipse(mask, centre, (int(radius), int(radius * random.uniform(0.8, 1.2))), 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), random.uniform(0.01, 0.03) * width)
    colour = (
        np.array((0.18, 0.25, 0.42))
        * random.uniform(0.2, 1.2)
        * (0.8 + 0.4 * _field(light.shape, 0.4, random))[:, :, None]
    )
    return _cover_with(light, mask, _picture(colour))


def burnt(light: Light, severity: float, random: Random) -> Light:
    """Gain stuck at its highest: clipped, and what is clipped blooms over."""
    lit = light * np.float32(_between(4.5, 30, severity))
    bloom = cv2.GaussianBlur(np.clip(lit, 0, 4), (0, 0), 0.02 * light.shape[1])
    return _picture(lit * 0.85 + bloom * 0.15)


def shut(light: Light, severity: float, random: Random) -> Light:
    """Nearly no light, least of all in the corners."""
    height, width = light.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    corner = 1 - 0.6 * ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2)
    return _picture(light * corner[:, :, None] / _between(14, 120, severity))


def smoke(light: Light, severity: float, random: Random) -> Light:
    """Even scattering in a short distance: smoke, a dome gone dull."""
    through = np.exp(-_between(1.1, 3.2, severity)) * (0.8 + 0.4 * _field(light.shape, 0.5, random))[:, :, None]
    return _picture(light * through + (1 - through) * random.uniform(0.3, 0.8) * np.array((1.02, 1.0, 0.98)))


def balance(light: Light, severity: float, random: Random) -> Light:
    """White balance of the wrong lamp: blue or orange."""
    strong = _between(1.5, 3.2, severity)
    gains = np.array((strong, 1.0, 1 / strong)) if random.random() < 0.5 else np.array((1 / strong, 1.0, strong))
    return _picture(light * gains / gains.mean())


def magenta(light: Light, severity: float, random: Random) -> Light:
    """The infrared filter hangs open by day: leaves turn pale, everything pink."""
    infrared = light @ np.array((0.1, 0.7, 0.2), np.float32)
    share = 0.4 + 0.5 * severity
    added = infrared[:, :, None] * np.array((0.55, 0.12, 0.95)) * share
    return _picture((light * (1 - 0.4 * share) + added) * 0.9)


def lost_channel(levels_light: Light, severity: float, random: Random) -> Light:
    """One colour does not come through: a cable, a sensor."""
    gains = np.ones(3)
    gains[int(random.integers(0, 3))] = 0.35 * (1 - severity) + 0.02
    return _picture(levels_light * gains)


def dust(light: Light, severity: float, random: Random) -> Light:
    """Dust on the dome, lit from the side: a pale film in patches, some specks."""
    height, width = light.shape[:2]
    film = np.clip(_field(light.shape, 0.12, random) * 1.6 - 0.5, 0, 1) * (0.35 + 0.5 * severity)
    specks = np.zeros((height, width), np.float32)
    for x, y in random.random((round(60 + 250 * severity), 2)):
        cv2.circle(specks, (int(x * width), int(y * height)), int(random.uniform(0.003, 0.012) * width) + 1, 1.0, -1)
    specks = cv2.GaussianBlur(specks, (0, 0), 0.004 * width) * (0.4 + 0.4 * severity)
    hazy = cv2.GaussianBlur(light, (0, 0), 0.006 * width) * 0.5 + 0.25 * light.mean() + 0.03
    return _cover_with(
        _cover_with(light, film, _picture(hazy)), np.clip(specks, 0, 0.95), _picture(light * 0 + 0.1 * light.mean())
    )


def smear(light: Light, severity: float, random: Random) -> Light:
    """Wiped with a greasy cloth: streaks in arcs that blur along themselves."""
    height, width = light.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot(x - random.uniform(-0.3, 1.3) * width, y - 1.4 * height) / width
    streaks = 0.5 + 0.5 * np.sin(away * random.uniform(30, 70) + 4 * _field(light.shape, 0.3, random))
    mask = np.clip(streaks * 2 - 1 + 0.6 * severity, 0, 1) * np.clip(
        _field(light.shape, 0.3, random) * 2 - 0.5 + severity, 0, 1
    )
    length = max(5, round((0.02 + 0.03 * severity) * width))
    blurred = cv2.blur(light, (length, max(3, length // 3))) * 0.9 + 0.1 * light.mean()
    return _cover_with(light, _picture(np.clip(mask, 0, 0.95)), _picture(blurred))


def mud(light: Light, severity: float, random: Random) -> Light:
    """Splashes of a passing lorry: small, dark, opaque in the middle."""
    height, width = light.shape[:2]
    mask = np.zeros((height, width), np.float32)
    while mask.mean() < 0.10 + 0.22 * severity:
        x, y = int(random.integers(0, width)), int(random.integers(0, height))
        radius = random.uniform(0.008, 0.04) * width
        for _ in range(5):
            off = random.normal(0, radius, 2)
            cv2.circle(mask, (int(x + off[0]), int(y + off[1])), int(radius * random.uniform(0.2, 0.8)) + 1, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.007 * width)
    return _cover_with(light, mask, np.broadcast_to(np.asarray((0.02, 0.035, 0.05), np.float32), light.shape))


def raindrops(light: Light, severity: float, random: Random) -> Light:
    """Drops that stay on the glass: lenses with a dark rim."""
    height, width = light.shape[:2]
    small = cv2.resize(
        np.ascontiguousarray(light[::-1, ::-1]),
        (max(8, width // 12), max(8, height // 12)),
        interpolation=cv2.INTER_AREA,
    )
    wet = light.copy()
    covered = 0.0
    while covered < 0.10 + 0.25 * severity:
        radius = max(3, int(random.uniform(0.01, 0.045) * width))
        x, y = int(random.integers(radius, width - radius)), int(random.integers(radius, height - radius))
        inside = cv2.resize(small, (2 * radius, 2 * radius), interpolation=cv2.INTER_LINEAR)
        b, a = np.mgrid[-radius:radius, -radius:radius].astype(np.float32) / radius
        shape = np.clip((1 - np.hypot(a, b)) * radius / 3, 0, 1)[:, :, None]
        rim = np.clip(1.25 - np.hypot(a, b) ** 6, 0.35, 1)[:, :, None]
        part = wet[y - radius : y + radius, x - radius : x + radius]
        part[:] = part * (1 - shape) + inside * rim * shape
        covered += np.pi * radius * radius / (width * height)
    return _picture(wet)


def coarse_grain(levels: Light, severity: float, random: Random) -> Light:
    """Noise that the camera has smoothed: coarse, coloured."""
    drawn = random.standard_normal(levels.shape, dtype=np.float32)
    soft = cv2.GaussianBlur(drawn, (0, 0), 0.9)
    return _picture(levels + soft / soft.std() * _between(14, 45, severity))


def hot_pixels(levels: Light, severity: float, random: Random) -> Light:
    """Pixels that always shine, in one colour each."""
    hot = levels.copy()
    count = round(levels.shape[0] * levels.shape[1] * _between(0.012, 0.08, severity))
    rows, columns = random.integers(0, levels.shape[0], count), random.integers(0, levels.shape[1], count)
    hot[rows, columns, random.integers(0, 3, count)] = 255
    return hot


def columns_of_sensor(levels: Light, severity: float, random: Random) -> Light:
    """Amplifiers of the columns that differ: upright stripes."""
    offset = random.normal(0, _between(7, 35, severity), levels.shape[1]).astype(np.float32)
    wide = np.repeat(offset[:: max(1, levels.shape[1] // 320)], max(1, levels.shape[1] // 320))[: levels.shape[1]]
    wide = np.pad(wide, (0, levels.shape[1] - len(wide)), mode="edge")
    return _picture(levels + wide[None, :, None])


def mains(levels: Light, severity: float, random: Random) -> Light:
    """Hum bars of the mains on an analogue line: soft, two or three, brighter and darker."""
    y = np.arange(levels.shape[0], dtype=np.float32) / levels.shape[0]
    wave = np.sin(2 * np.pi * (int(random.integers(2, 4)) * y + random.random()))
    return _picture(levels + (wave * _between(22, 70, severity))[:, None, None])


def herringbone(levels: Light, severity: float, random: Random) -> Light:
    """A radio carrier on the line: slanting, fine, its phase turned from line to line."""
    height, width = levels.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = random.uniform(18, 70)
    phase = 2 * np.pi * waves * x / width + random.uniform(0.1, 0.9) * y * 640 / width + 0.6 * np.sin(y / height * 25)
    return _picture(levels + _between(12, 45, severity) * np.sin(phase)[:, :, None])


def torn_sync(levels: Light, severity: float, random: Random) -> Light:
    """Lines that begin too late: the sync is lost in bands of the picture."""
    torn = levels.copy()
    for _ in range(4 + round(14 * severity)):
        row, high = int(random.integers(0, levels.shape[0] - 8)), int(random.integers(2, 4 + 0.06 * levels.shape[0]))
        torn[row : row + high] = np.roll(torn[row : row + high], int(random.integers(20, levels.shape[1] // 3)), axis=1)
    return torn


LENS: dict[str, dict[str, Fault]] = {
    "blurred": {"gaussian": gaussian, "hexagon": hexagon, "swing": swing},
    "covered": {"cloth": cloth, "bubbles": bubbles, "branch": branch, "hand": hand},
    "overexposed": {"burnt": burnt},
    "dark": {"shut": shut},
    "low_contrast": {"smoke": smoke},
    "colour_cast": {"balance": balance, "magenta": magenta, "lost_channel": lost_channel},
    "dirty": {"dust": dust, "smear": smear, "mud": mud, "raindrops": raindrops},
}
SENSOR: dict[str, dict[str, Fault]] = {
    "noisy": {"coarse_grain": coarse_grain, "hot_pixels": hot_pixels},
    "striped": {"columns": columns_of_sensor, "mains": mains, "herringbone": herringbone, "torn_sync": torn_sync},
}


def moved_blocks(levels: Light, severity: float, random: Random) -> Light:
    """Macroblocks that took their motion from elsewhere."""
    broken = levels.copy()
    rows, columns = levels.shape[0] // 16, levels.shape[1] // 16
    for _ in range(round(rows * columns * _between(0.06, 0.4, severity) / 6)):
        row, column, run = (
            int(random.integers(rows // 4, rows)),
            int(random.integers(0, columns)),
            int(random.integers(2, 12)),
        )
        from_row, shift = int(random.integers(0, rows)), int(random.integers(0, columns))
        for n in range(run):
            c, s = (column + n) % columns, (shift + n) % columns
            broken[row * 16 : row * 16 + 16, c * 16 : c * 16 + 16] = levels[
                from_row * 16 : from_row * 16 + 16, s * 16 : s * 16 + 16
            ]
    return broken


def green_rest(levels: Light, severity: float, random: Random) -> Light:
    """The rest of the picture at zero of Y, U and V: green."""
    torn = levels.copy()
    torn[round(levels.shape[0] * (0.8 - 0.5 * severity)) // 16 * 16 :] = (0, 135, 0)
    return torn


def dragged_rows(levels: Light, severity: float, random: Random) -> Light:
    """What is missing is filled with the last row that came, drawn down."""
    torn = levels.copy()
    row = round(levels.shape[0] * (0.75 - 0.5 * severity)) // 16 * 16
    torn[row:] = torn[row - 1]
    return torn


def wrong_colours(levels: Light, severity: float, random: Random) -> Light:
    """From some macroblock on, the colours (differences of DC) are off: bands of pink and green."""
    torn = levels.copy()
    rows = levels.shape[0] // 16
    row = round(rows * (0.7 - 0.5 * severity))
    while row < rows:
        begin = int(random.integers(0, levels.shape[1] // 16)) * 16
        offset = random.normal(0, 45 + 40 * severity, 3).astype(np.float32)
        high = int(random.integers(1, 4))
        torn[row * 16 : row * 16 + 16, begin:] += offset
        torn[row * 16 + 16 : (row + high) * 16] += offset
        row += high
    return np.clip(torn, 0, 255)


WIRE: dict[str, Fault] = {
    "moved_blocks": moved_blocks,
    "green_rest": green_rest,
    "dragged_rows": dragged_rows,
    "wrong_colours": wrong_colours,
}


def card(shape: tuple[int, ...], kind: str, random: Random) -> Light:
    """Screens that recorders and encoders of several makers show without a signal."""
    height, width = shape[:2]
    shown = np.zeros((height, width, 3), np.uint8)
    if kind == "gradient":
        shown[:] = np.linspace((120, 40, 10), (40, 12, 4), height)[:, None, :].astype(np.uint8)
        _write(shown, "VIDEO LOSS", cv2.FONT_HERSHEY_DUPLEX, height / 400, 0.5)
    elif kind == "logo":
        shown[:] = 30
        cv2.circle(shown, (width // 2, height // 2), height // 8, (60, 90, 220), -1, cv2.LINE_AA)
        _write(shown, "No Video", cv2.FONT_HERSHEY_TRIPLEX, height / 600, 0.75)
    elif kind == "steps":
        for n in range(11):
            shown[:, n * width // 11 : (n + 1) * width // 11] = n * 25
    elif kind == "white":
        shown[:] = 235
    return shown.astype(np.float32)


def _write(shown: np.ndarray, text: str, font: int, scale: float, down: float) -> None:
    at = shown.shape[1] // 3, round(shown.shape[0] * down)
    cv2.putText(shown, text, at, font, scale, (220, 220, 220), 2, cv2.LINE_AA)


CARDS = ("gradient", "logo", "steps", "white")


def sodium_night(light: Light, random: Random) -> Light:
    """Sodium lamps: everything orange, and dark between the lamps."""
    lit = light * np.float32(random.uniform(0.03, 0.08))
    for _ in range(int(random.integers(1, 4))):
        pool = _glow(light.shape, random.uniform(0, 1), random.uniform(0.3, 0.9), random.uniform(0.15, 0.3))[:, :, None]
        lit = lit + light * pool * np.float32(random.uniform(0.2, 0.6))
    return _picture(lit * np.array((0.15, 0.55, 1.0)))


def blooming_headlights(light: Light, random: Random) -> Light:
    """A car comes straight on, close: half of the picture is washed out."""
    lit = light * np.float32(0.05)
    x, y = random.uniform(0.3, 0.7), random.uniform(0.4, 0.7)
    for side in (-0.06, 0.06):
        lit = lit + _glow(light.shape, x + side, y, 0.045)[:, :, None] * np.float32(8)
        row = np.exp(-np.abs(np.linspace(0, 1, light.shape[0], dtype=np.float32) - y) * 60)[:, None, None]
        lit = lit + row * np.float32(0.15)
    return _picture(lit)


def insects(light: Light, random: Random) -> Light:
    """Infrared with insects and drops close to the lamp: bright soft streaks."""
    grey = light @ np.array((0.3, 0.3, 0.4), np.float32)
    lamp = _glow(light.shape, 0.5, 0.6, 0.5)
    seen = np.repeat((grey * lamp * np.float32(0.9))[:, :, None], 3, axis=2)
    height, width = light.shape[:2]
    streaks = np.zeros((height, width), np.float32)
    for _ in range(int(random.integers(3, 15))):
        x, y = random.random(2) * (width, height)
        off = random.normal(0, 0.03, 2) * width
        cv2.line(streaks, (int(x), int(y)), (int(x + off[0]), int(y + off[1])), 1.0, max(2, round(0.008 * width)))
    return _picture(seen + cv2.GaussianBlur(streaks, (0, 0), 0.005 * width)[:, :, None] * 0.8)


def wet(light: Light, random: Random) -> Light:
    """A shower: the far is veiled, the ground mirrors, streaks of several lengths."""
    height, width = light.shape[:2]
    far = np.linspace(1, 0, height, dtype=np.float32)[:, None, None] ** 2
    through = 1 - far * np.float32(random.uniform(0.3, 0.6))
    veiled = light * through * np.float32(0.6) + (1 - through) * np.float32(0.35)
    middle = height // 2
    mirror = cv2.GaussianBlur(
        np.ascontiguousarray(veiled[:middle][::-1]), (0, 0), sigmaX=0.003 * width, sigmaY=0.03 * height
    )
    veiled[height - middle :] = veiled[height - middle :] * 0.75 + mirror * 0.25
    streaks = np.zeros((height, width), np.float32)
    for x, y in random.random((round(random.uniform(300, 900)), 2)) * (width, height):
        length = random.uniform(0.01, 0.05) * height
        cv2.line(streaks, (int(x), int(y)), (int(x - length * 0.1), int(y + length)), float(random.uniform(0.3, 1)), 1)
    return _picture(veiled + cv2.GaussianBlur(streaks, (0, 0), 0.6)[:, :, None] * 0.12)


def snow_cover(light: Light, random: Random) -> Light:
    """Snow on the ground: what lies flat is white, steep things stay as they are."""
    height, width = light.shape[:2]
    grey = light.mean(axis=2)
    steep = cv2.GaussianBlur(np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)), (0, 0), 0.006 * width)
    lies = (
        np.clip(1.2 - steep / (steep.mean() * 1.5 + 1e-6), 0, 1)
        * np.linspace(0.1, 0.8, height, dtype=np.float32)[:, None]
    )
    return _cover_with(light, _picture(lies), _picture(0.55 + 0.25 * light / (light.max() + 1e-6)))


def morning_fog(light: Light, random: Random) -> Light:
    """Fog as the season has it: the near half is clear enough."""
    far = np.linspace(1.0, 0.0, light.shape[0], dtype=np.float32)[:, None, None] ** 1.3
    through = np.exp(-far * np.float32(random.uniform(0.8, 1.5)) - 0.1)
    return _picture(light * through + np.float32(random.uniform(0.4, 0.6)) * (1 - through))


def flare(light: Light, random: Random) -> Light:
    """The sun just outside of the picture: a veil, and ghosts of the iris in a row."""
    height, width = light.shape[:2]
    sun = random.uniform(0, 1), random.uniform(-0.1, 0.15)
    veil = _glow(light.shape, *sun, 0.45)[:, :, None] * np.float32(random.uniform(0.2, 0.5))
    seen = light * np.float32(0.8) + veil
    for n in range(1, 5):
        centre = int((sun[0] + (0.5 - sun[0]) * n * 0.5) * width), int((sun[1] + (0.5 - sun[1]) * n * 0.5) * height)
        ghost = np.zeros((height, width), np.float32)
        cv2.circle(ghost, centre, int(width * random.uniform(0.01, 0.05)), 1.0, -1)
        seen = seen + cv2.GaussianBlur(ghost, (0, 0), 2)[:, :, None] * np.array((0.05, 0.09, 0.06)) * random.uniform(
            0.5, 2
        )
    return _picture(seen + _glow(light.shape, *sun, 0.05)[:, :, None] * 3)


def low_light_gain(light: Light, random: Random) -> Light:
    """A camera that lifts a dark evening with its gain: noise comes in ``cases``, colours are pale."""
    grey = light.mean(axis=2, keepdims=True)
    return _picture((light * 0.5 + grey * 0.5) * random.uniform(0.12, 0.25))


def long_shadows(light: Light, random: Random) -> Light:
    """Shadows of trees: many small dark patches with soft edges, sun between them."""
    patches = np.clip((_field(light.shape, 0.07, random) - 0.5) * 6 + 0.5, 0, 1)
    return _picture(light * (0.3 + 0.8 * patches)[:, :, None])


def crowd(light: Light, random: Random) -> Light:
    """Many people or cars: a quarter of the view is covered by sharp things."""
    height, width = light.shape[:2]
    seen = light.copy()
    for _ in range(int(random.integers(8, 25))):
        w, h = int(random.uniform(0.02, 0.07) * width), int(random.uniform(0.06, 0.2) * height)
        x, y = int(random.integers(0, width - w)), int(random.integers(height // 4, height - h))
        seen[y : y + h, x : x + w] = random.uniform(0.02, 0.5, 3)
        seen[y : y + h // 4, x + w // 4 : x + 3 * w // 4] = random.uniform(0.1, 0.5, 3)
        seen[y + h // 2 : y + h // 2 + max(1, h // 20), x : x + w] = random.uniform(0.02, 0.6, 3)
    return _picture(cv2.GaussianBlur(seen, (0, 0), 0.0008 * width))


CONDITIONS: dict[str, Condition] = {
    "sodium_night": sodium_night,
    "blooming_headlights": blooming_headlights,
    "infrared_insects": insects,
    "wet_rain": wet,
    "snow_cover": snow_cover,
    "morning_fog": morning_fog,
    "flare_glare": flare,
    "dusk_gain": low_light_gain,
    "long_shadows": long_shadows,
    "crowd": crowd,
}
AT_NIGHT = {"sodium_night": 22, "blooming_headlights": 1, "infrared_insects": 2, "dusk_gain": 19}
"""Hours of those that are not of the day."""
NOISE = {"sodium_night": 3.0, "blooming_headlights": 2.5, "infrared_insects": 2.5, "dusk_gain": 4.0}
"""How much more noise there is in them."""
