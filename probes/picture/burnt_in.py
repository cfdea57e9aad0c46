"""This file gets at the clock that is burnt into a picture with as little decoding as that takes, and remembers how
each camera writes its own."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress

import cv2
import numpy as np

from probes.picture import masking
from probes.picture.measuring import clock
from probes.picture.measuring.hand import Hand
from probes.picture.measuring.sheet import WIDTH, Box, Picture
from probes.wire import jpeg as jpeg_header

CAMERAS = 16_000
"""Cameras of which it is remembered how they write, about 5 kB each: those of a whole fleet."""
CUTS = 64
"""Lines that were cut out of references and are kept, some 30 kB each."""
_LEGIBLE = 28
"""Pixels that the box of a clock is high at least, to be read at the size in which the picture is measured."""
_MARGIN = 0.12
"""How much wider than the registered box the clock is cut out, as a share of the box's height."""
_WAYS = {
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    1: cv2.IMREAD_GRAYSCALE,
}
_ROWS = 16
"""Rows of a JPEG that are coded together at most."""
_PATIENCE = 7
"""Pictures that are passed over, at most, where no letters were found in several: to look everywhere takes longest."""
_BASELINE = b"\xff\xc0"
_NEAR = 0.05
"""How near a mask may come to the clock, as a share of the picture, before the two are taken to meet."""


@dataclass(frozen=True, slots=True)
class Osd:
    """Where a clock is burnt in (left, top, width, height in pixels, or in shares of the picture) and how it is
    written."""

    box: tuple[float, float, float, float]
    layout: str

    def on(self, width: float, height: float, shrunk: float = 1.0) -> Box:
        """The box in pixels of a picture of this size, which was made ``shrunk`` times smaller."""
        left, top, across, down = self.box
        if max(self.box) <= 1:
            return left * width, top * height, across * width, down * height
        return left / shrunk, top / shrunk, across / shrunk, down / shrunk

    def shares(self, picture: Picture, width: int) -> Box:
        """The box as shares of a picture that was ``width`` pixels wide before it was decoded smaller."""
        high, wide = picture.shape[:2]
        left, top, across, down = self.on(wide, high, width / wide)
        return left / wide, top / high, across / wide, down / high


Hidden = tuple[tuple[tuple[float, float], ...], ...]
"""Outlines of what is not looked at, in shares of the picture."""


@dataclass(frozen=True, slots=True)
class Line:
    """The part of a picture that shows its clock, in grey: ``cut`` out of the picture as it is measured, ``scale``
    times smaller than it was ``coded``. ``legible``: its letters are large enough there to be read anew."""

    cut: Picture
    coded: bytes
    scale: int
    legible: bool


@dataclass(slots=True)
class _Known:
    """What is known of a camera: its hand; in how many pictures in a row no letters were found, or none that are like
    each other in its references, and how many are yet to be passed over for that."""

    hand: Hand | None = None
    fruitless: int = 0
    waits: int = 0

    def keep(self, hand: Hand) -> None:
        self.hand = hand

    def after(self, found: Mapping[str, float]) -> None:
        told = "seconds_off" in found or "stopped" in found
        self.fruitless = 0 if told else self.fruitless + 1
        self.waits = min(self.fruitless, _PATIENCE)


class Clocks:
    """Reads burnt-in clocks, and remembers how each camera writes its own. A camera is known by its references."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self._cuts: OrderedDict[tuple[bytes, int, Osd, Hidden], Picture] = OrderedDict()

    def read(
        self,
        newest: Sequence[tuple[Line, datetime]],
        references: Sequence[tuple[bytes, datetime]],
        osd: Osd,
        hidden: Hidden,
    ) -> dict[str, float]:
        """What the clock says (see ``clock.read``); that nothing could be read of it, where no digits were found."""
        ends = [*newest[:-1][:1], newest[-1]]
        known = self._of(hash((osd, hidden, ends[-1][0].scale, *sorted(jpeg for jpeg, _ in references))))
        if known.hand is not None:
            found = clock.confirm([(line.cut, at) for line, at in ends], osd.layout, known.hand)
            if found is not None:
                known.fruitless = known.waits = 0
                return found
        if known.waits and references and len(ends) == 1:
            known.waits -= 1
            return {"sure": 0.0}
        found = self._anew(ends, references, osd, hidden, known.keep) or {"sure": 0.0}
        known.after(found)
        return found

    def _of(self, camera: int) -> _Known:
        known = self._known.setdefault(camera, _Known())
        self._known.move_to_end(camera)
        if len(self._known) > CAMERAS:
            self._known.popitem(last=False)
        return known

    def _anew(
        self,
        ends: Sequence[tuple[Line, datetime]],
        references: Sequence[tuple[bytes, datetime]],
        osd: Osd,
        hidden: Hidden,
        keep: Callable[[Hand], None],
    ) -> dict[str, float] | None:
        legible = [(line.cut if line.legible else cut(line.coded, 0, osd, hidden), at) for line, at in ends]
        known = [(self._cut(jpeg, 0, osd, hidden), at) for jpeg, at in references]
        now = ends[-1][0]
        seen = [self._cut(jpeg, 0 if now.legible else now.scale, osd, hidden) for jpeg, _ in references]
        there = [one.size > 0 for one in seen]
        return clock.read(legible, list(compress(known, there)), osd.layout, keep, list(compress(seen, there)))

    def _cut(self, jpeg: bytes, scale: int, osd: Osd, hidden: Hidden) -> Picture:
        key = jpeg, scale, osd, hidden
        if key not in self._cuts:
            self._cuts[key] = cut(jpeg, scale, osd, hidden)
            if len(self._cuts) > CUTS:
                self._cuts.popitem(last=False)
        self._cuts.move_to_end(key)
        return self._cuts[key]


def line(coded: bytes, picture: Picture, width: int, osd: Osd) -> Line | None:
    """What shows the clock in a ``picture`` that was ``width`` pixels wide before it was decoded; None where the
    register has it elsewhere."""
    high, wide = picture.shape[:2]
    box = osd.on(wide, high, width / wide)
    part = _cut(picture, box)
    if not part.size:
        return None
    grey = np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    return Line(grey, coded, round(width / wide), wide == width or not 0 < box[3] < _LEGIBLE)


def cut(jpeg: bytes, scale: int, osd: Osd, hidden: Hidden) -> Picture:
    """The same of a JPEG alone, at this scale, or (0) as large as its letters must be: decoded in grey, and no farther
    down than the clock stands. Empty where there is nothing."""
    head = jpeg_header.read(jpeg)
    down = osd.on(head.width, head.height)[3]
    if not scale:
        scale = next((one for one in _WAYS if head.width >= one * WIDTH and down >= one * _LEGIBLE), 1)
    width, height = -(-head.width // scale), -(-head.height // scale)
    box = left, top, across, down = osd.on(width, height, head.width / width)
    shares = left / width, top / height, across / width, down / height
    masked = any(_meet(shares, outline) for outline in hidden)
    if not (masked or head.progressive):
        jpeg = _shortened(jpeg, head.height, scale * (top + (1 + _MARGIN) * down) + 1)
    try:
        decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), _WAYS[scale] | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        decoded = None
    if decoded is None:
        return np.zeros((0, 0), np.uint8)
    picture = np.asarray(decoded, dtype=np.uint8)
    if masked:
        filled = masking.fill(np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), dtype=np.uint8), hidden)[0]
        picture = np.asarray(cv2.cvtColor(filled, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    return _cut(picture, box)


def _shortened(jpeg: bytes, height: int, until: float) -> bytes:
    """A baseline JPEG whose header tells of no more rows than these: the decoder stops there."""
    rows = _ROWS * math.ceil(max(1.0, until) / _ROWS)
    written = height.to_bytes(2, "big")
    at = jpeg.find(_BASELINE)
    if rows >= height or at < 0 or jpeg[at + 5 : at + 7] != written:
        return jpeg
    return b"".join((jpeg[: at + 5], rows.to_bytes(2, "big"), jpeg[at + 7 :]))


def _meet(box: Box, outline: Sequence[tuple[float, float]]) -> bool:
    """Whether what is not measured of this outline may reach into a box; both in shares."""
    left, top, wide, high = box
    across, down = [x for x, _ in outline], [y for _, y in outline]
    near = _MARGIN * high + _NEAR
    beside = max(across) <= left - near or left + wide + near <= min(across)
    over = max(down) <= top - near or top + high + near <= min(down)
    return not (beside or over)


def _cut(picture: Picture, box: Box) -> Picture:
    left, top, wide, high = box
    edge = _MARGIN * high
    rows = slice(max(0, round(top - edge)), max(0, round(top + high + edge)))
    columns = slice(max(0, round(left - edge)), max(0, round(left + wide + edge)))
    return picture[rows, columns]
