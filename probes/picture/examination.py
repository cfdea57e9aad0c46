"""This file examines frames and references of one view in a decoding process: bytes in, measures out.

References are prepared once and kept, as the same few are asked for with every picture of a camera.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

import cv2
import numpy as np

from probes.picture import masking
from probes.picture.measuring import clock, comparison, sequence
from probes.picture.measuring.look import look
from probes.picture.measuring.sheet import WIDTH, Box, Picture, Sheet, prepare

KEPT = 24
"""Prepared references that are kept, about 3 MB each."""
LEAST_SIDE = 48
"""Pixels; a picture with a shorter side shows nothing that could be judged."""
LONGEST = 6
"""How many times longer one side may be than the other. No camera's picture is longer, and its sheet would be huge."""
NEEDED, ALIKE = 2, 0.5
"""So many references are enough, if one of them looks this much alike (``agreement``)."""
_MARGIN = 0.12
"""How much wider than the registered box the clock is cut out, as a share of the box's height."""

Hidden = tuple[tuple[tuple[float, float], ...], ...]
"""Outlines of what is not looked at, in shares of the picture."""

Decode: TypeAlias = Callable[[bytes, int], "Decoded"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture as the decoder gave it: ``scale`` times smaller than ``width`` says; ``grumble`` is what it said."""

    picture: Picture
    width: int
    scale: int
    grumble: str = ""


@dataclass(frozen=True, slots=True)
class Osd:
    """Where a clock is burnt in (left, top, width, height in pixels, or in shares of the picture) and how it is
    written."""

    box: tuple[float, float, float, float]
    layout: str

    def on(self, picture: Picture, width: int) -> tuple[float, float, float, float]:
        """The box in pixels of a picture that was ``width`` pixels wide before it was decoded smaller."""
        high, wide = picture.shape[:2]
        left, top, across, down = self.box
        if max(self.box) <= 1:
            return left * wide, top * high, across * wide, down * high
        shrunk = wide / width
        return left * shrunk, top * shrunk, across * shrunk, down * shrunk


@dataclass(frozen=True, slots=True)
class _Seen:
    sheet: Sheet
    measures: dict[str, float]
    prepared: comparison.Prepared | None
    clock: Picture | None


class Examiner:
    """Examines one view after the other with one decoder, and remembers references.

    ``newest`` is the last frame examined, at the size it was measured in; None if it could not be read.
    """

    def __init__(self, decode: Decode) -> None:
        self.newest: Picture | None = None
        self._decode = decode
        self._pairs: OrderedDict[frozenset[bytes], dict[str, float]] = OrderedDict()
        self._kept: OrderedDict[tuple[bytes, Osd | None, Hidden], _Seen | str] = OrderedDict()

    def examine(
        self,
        frames: Sequence[bytes],
        references: Sequence[bytes],
        times: Sequence[datetime | None],
        reference_times: Sequence[datetime | None],
        osd: Osd | None,
        decode: Decode | None = None,
        hidden: Hidden = (),
    ) -> dict[str, object]:
        """Measures of each frame and reference (or why it was refused), what changed from each reference to the newest
        frame, between two references and between the frames, and what the clock says. Times are the camera's local
        time. ``decode``: what decodes the frames, where they are no JPEG. ``hidden`` is not looked at in any of
        them."""
        decode = decode or self._decode
        seen = [self._see(frame, osd, hidden, decode, last=n == len(frames) - 1) for n, frame in enumerate(frames)]
        known = [self._reference(reference, osd, hidden) for reference in references]
        newest = seen[-1]
        self.newest = newest.sheet.colour if isinstance(newest, _Seen) else None
        changes = _changes(newest, known)
        likest = sorted((n for n, one in enumerate(changes) if one), key=lambda n: -_agreement(changes[n]))[:2]
        return {
            "frames": [_told(one) for one in seen],
            "references": [_told(one) for one in known],
            "changes": [None if change is None else change.measures for change in changes],
            "tiles": [{} if change is None else change.tiles for change in changes],
            "between": _between(frames, seen, times),
            "masked": masking.share(hidden),
            "restless": self._restless([references[n] for n in likest], [known[n] for n in likest]),
            "clock": None if osd is None else _clock(seen, times, known, reference_times, osd),
        }

    def prepare(self, references: Sequence[bytes], osd: Osd | None, hidden: Hidden = ()) -> None:
        """Prepare references that are not known yet, so that ``examine`` finds them ready."""
        for reference in references:
            self._reference(reference, osd, hidden)

    def _reference(self, jpeg: bytes, osd: Osd | None, hidden: Hidden) -> _Seen | str:
        # The bytes themselves are the key: cheaper than a digest, and what is equal is equal.
        key = jpeg, osd, hidden
        if key not in self._kept:
            self._kept[key] = self._see(jpeg, osd, hidden, self._decode, last=True)
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]

    def _restless(self, jpegs: Sequence[bytes], known: Sequence[_Seen | str]) -> dict[str, float] | None:
        """What changed between two references; asked once for each pair."""
        if len(known) < 2:
            return None
        one, other = known
        pair = frozenset(jpegs)
        if pair not in self._pairs and isinstance(one, _Seen) and isinstance(other, _Seen):
            if one.prepared is None or other.prepared is None:
                return None
            self._pairs[pair] = comparison.compare(one.prepared, other.prepared).measures
        while len(self._pairs) > KEPT:
            self._pairs.popitem(last=False)
        return self._pairs.get(pair)

    def _see(self, coded: bytes, osd: Osd | None, hidden: Hidden, decode: Decode, *, last: bool) -> _Seen | str:
        """One picture, prepared and measured; or why it can't be. Only the last frame is compared with references."""
        try:
            decoded = decode(coded, WIDTH)
        except ValueError as error:
            return str(error)
        picture = decoded.picture
        height, width = picture.shape[:2]
        if min(height, width) < LEAST_SIDE or max(height, width) > LONGEST * min(height, width):
            return f"a picture of {width} x {height} pixels shows nothing that could be judged"
        apart: masking.Mask | None = None
        if hidden:
            picture, apart = masking.fill(picture, hidden)
        boxes: tuple[Box, ...] = ()
        cut = None
        if osd is not None:
            left, top, wide, high = osd.on(picture, decoded.width)
            boxes = ((left / width, top / height, wide / width, high / height),)
            cut = _cut(picture, left, top, wide, high)
        sheet = prepare(picture, decoded.scale, boxes, decoded.grumble)
        if apart is not None:
            seen = cv2.resize(apart.astype(np.uint8), sheet.shape[::-1], interpolation=cv2.INTER_NEAREST) == 0
            sheet = replace(sheet, clear=sheet.clear & seen)
        if not last:
            return _Seen(sheet, {}, None, cut)
        measures = look(sheet) | {"width": float(decoded.width)}
        return _Seen(sheet, measures, comparison.prepare(sheet, measures["noise"]), cut)


def _agreement(change: comparison.Change | None) -> float:
    return -1.0 if change is None else change.measures["agreement"]


def _changes(newest: _Seen | str, known: Sequence[_Seen | str]) -> list[comparison.Change | None]:
    """What changed from each reference, those in the most similar light first; None for those that were not needed."""
    changes: list[comparison.Change | None] = [None] * len(known)
    if isinstance(newest, str) or newest.prepared is None:
        return changes
    apart = [
        (abs(math.log((newest.measures["mean"] + 4) / (reference.measures["mean"] + 4))), place, reference.prepared)
        for place, reference in enumerate(known)
        if isinstance(reference, _Seen) and reference.prepared is not None
    ]
    alike = 0.0
    for tried, (_, place, theirs) in enumerate(sorted(apart, key=lambda one: one[:2])):
        if tried >= NEEDED and alike > ALIKE:
            break
        change = comparison.compare(newest.prepared, theirs)
        changes[place], alike = change, max(alike, change.measures["agreement"])
    return changes


def _cut(picture: Picture, left: float, top: float, wide: float, high: float) -> Picture | None:
    edge = _MARGIN * high
    rows = slice(max(0, round(top - edge)), max(0, round(top + high + edge)))
    columns = slice(max(0, round(left - edge)), max(0, round(left + wide + edge)))
    part = picture[rows, columns]
    return None if part.size == 0 else np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def _told(one: _Seen | str) -> Mapping[str, Any]:
    return {"refused": one} if isinstance(one, str) else {"measures": one.measures}


def _between(
    frames: Sequence[bytes], seen: Sequence[_Seen | str], times: Sequence[datetime | None]
) -> dict[str, float] | None:
    sheets = [one.sheet for one in seen if isinstance(one, _Seen)]
    if len(sheets) < 2 or len(sheets) < len(frames):
        return None
    first, last = times[0], times[-1]
    seconds = None if first is None or last is None else (last - first).total_seconds()
    return sequence.between(sheets, seconds, identical=len(set(frames)) == 1)


def _clock(
    seen: Sequence[_Seen | str],
    times: Sequence[datetime | None],
    known: Sequence[_Seen | str],
    reference_times: Sequence[datetime | None],
    osd: Osd,
) -> dict[str, float] | None:
    newest, learned = _cuts(seen, times), _cuts(known, reference_times)
    return clock.read(newest, learned, osd.layout) if newest else None


def _cuts(seen: Sequence[_Seen | str], times: Sequence[datetime | None]) -> list[tuple[Picture, datetime]]:
    return [
        (one.clock, at)
        for one, at in zip(seen, times, strict=True)
        if isinstance(one, _Seen) and one.clock is not None and at is not None
    ]
