"""This file examines frames and references of one view in a decoding process: bytes in, measures out.

References are prepared once and kept, as the same few are asked for with every picture of a camera.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import cv2
import numpy as np

from probes.picture import burnt_in, masking
from probes.picture.burnt_in import Hidden, Osd
from probes.picture.likeness import NEEDED, agreement, as_sharp, misses, told_by, unchanged
from probes.picture.measuring import comparison, sequence
from probes.picture.measuring.imprint import imprint
from probes.picture.measuring.light import shift
from probes.picture.measuring.look import asked, contours, look
from probes.picture.measuring.sharpness import keen
from probes.picture.measuring.sheet import WIDTH, Box, Picture, Sheet, Still, prepare, still
from probes.picture.measuring.where import where

KEPT = 64
"""Prepared references that are kept, about 0.8 MB each."""
REMEMBERED = 50_000
"""References whose measures are remembered, and pairs of them, about half a kilobyte each: those of a whole fleet."""
LEAST_SIDE = 48
"""Pixels; a picture with a shorter side shows nothing that could be judged."""
LONGEST = 6
"""How many times longer one side may be than the other. No camera's picture is longer, and its sheet would be huge."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture as the decoder gave it: ``scale`` times smaller than ``width`` says; ``grumble`` is what it said."""

    picture: Picture
    width: int
    scale: int
    grumble: str = ""


class Decode(Protocol):
    """What decodes a picture, not narrower than ``width`` if it was not. Raises ValueError that says what is wrong with
    it."""

    def __call__(self, coded: bytes, width: int, /) -> Decoded: ...


@dataclass(frozen=True, slots=True)
class _Apart:
    """What is no part of the view: the clock, and what is hidden."""

    osd: Osd | None
    hidden: Hidden


@dataclass(frozen=True, slots=True)
class _Seen:
    """A picture that was measured. ``line``: what shows a frame's clock. ``prepared``: for comparison, where somebody
    has asked for that. ``sheet``: of the newest frame alone."""

    measures: Mapping[str, float]
    line: burnt_in.Line | None = None
    prepared: comparison.Prepared | None = None
    sheet: Sheet | None = None


class Examiner:
    """Examines one view after the other with one decoder, and remembers references.

    ``newest`` is the last frame examined, at the size it was measured in; None if it could not be read.
    """

    def __init__(self, decode: Decode) -> None:
        self.newest: Picture | None = None
        self._decode = decode
        self._kept: OrderedDict[tuple[bytes, _Apart], _Seen | str] = OrderedDict()
        self._clocks = burnt_in.Clocks()
        self._measures = _Memory()
        self._pairs = _Memory()
        self._passing: OrderedDict[int, comparison.Places | None] = OrderedDict()

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
        """Measures of the newest frame and of each reference (or why it was refused), what changed from each reference
        to that frame, between two references and between the frames, what the clock says, the newest frame's
        ``imprint`` for the next one, and ``where`` in it something is. Times are the camera's local time. ``decode``:
        what decodes the frames, where they are no JPEG. ``hidden`` is not looked at in any of them."""
        decode = decode or self._decode
        apart = _Apart(osd, hidden)
        newest = _see(frames[-1], apart, decode, compared=bool(references))
        sheet = None if isinstance(newest, str) else newest.sheet
        self.newest = None if sheet is None else sheet.colour
        earlier, between = _between(frames, newest, times, apart, decode)
        known = [self._reference(reference, apart) for reference in references]
        changes = self._changes(newest, references, known, apart)
        if sheet is not None and isinstance(newest, _Seen):
            newest = replace(newest, measures={**newest.measures, **_more(sheet, newest.measures, changes)})
        likest = sorted((n for n, one in enumerate(changes) if one), key=lambda n: -agreement(changes[n]))[:2]
        seen = [*earlier, newest]
        return {
            "frames": [_told(one) for one in seen],
            "references": [_told(one) for one in known],
            "changes": [None if change is None else change.measures for change in changes],
            "tiles": [{} if change is None else change.tiles for change in changes],
            "between": between,
            "imprint": None if sheet is None else imprint(sheet.still),
            "where": {} if sheet is None or isinstance(newest, str) else where(sheet, newest.measures),
            "masked": masking.share(hidden),
            "restless": self._restless([references[n] for n in likest], apart),
            "clock": None if osd is None else self._clock(seen, times, references, known, reference_times, apart),
        }

    def _clock(
        self,
        seen: Sequence[_Seen | str],
        times: Sequence[datetime | None],
        references: Sequence[bytes],
        known: Sequence[_Seen | str],
        reference_times: Sequence[datetime | None],
        apart: _Apart,
    ) -> dict[str, float]:
        """What the clock says; that nothing could be read of it, where no digits were found."""
        newest = [
            (one.line, at)
            for one, at in zip(seen, times, strict=True)
            if isinstance(one, _Seen) and one.line is not None and at is not None
        ]
        taught = [
            (jpeg, at)
            for jpeg, one, at in zip(references, known, reference_times, strict=True)
            if isinstance(one, _Seen) and at is not None
        ]
        if not newest or apart.osd is None:
            return {"sure": 0.0}
        return self._clocks.read(newest, taught, apart.osd, apart.hidden)

    def prepare(self, references: Sequence[bytes], osd: Osd | None, hidden: Hidden = ()) -> None:
        """Measure references that are not known yet, so that ``examine`` finds that done."""
        for reference in references:
            self._reference(reference, _Apart(osd, hidden))

    def _reference(self, jpeg: bytes, apart: _Apart) -> _Seen | str:
        """A reference by its measures."""
        # The bytes themselves are the key: cheaper than a digest, and what is equal is equal.
        kept = self._kept.get((jpeg, apart))
        if kept is not None:
            self._kept.move_to_end((jpeg, apart))
            return kept
        measures = self._measures.get((jpeg,), apart)
        if measures is not None:
            return _Seen(measures)
        seen = self._keep(jpeg, apart)
        if isinstance(seen, _Seen):
            self._measures.put((jpeg,), apart, seen.measures)
        return seen

    def _prepared(self, jpeg: bytes, apart: _Apart) -> comparison.Prepared | None:
        """A reference as it is compared with. Few of a fleet are kept so; another one is decoded once more."""
        seen = self._kept.get((jpeg, apart)) or self._keep(jpeg, apart, self._measures.get((jpeg,), apart))
        return None if isinstance(seen, str) else seen.prepared

    def _keep(self, jpeg: bytes, apart: _Apart, measures: Mapping[str, float] | None = None) -> _Seen | str:
        seen = self._kept[(jpeg, apart)] = _see(jpeg, apart, self._decode, measures, kept=True)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return seen

    def _restless(self, jpegs: Sequence[bytes], apart: _Apart) -> Mapping[str, float] | None:
        """What changed between two references; asked once for each pair."""
        if len(jpegs) < 2:
            return None
        # In an order of their own, or it would be told by which of them happened to be the likest first.
        pair = sorted(jpegs)
        found = self._pairs.get(pair, apart)
        if found is None:
            one, other = (self._prepared(jpeg, apart) for jpeg in pair)
            if one is None or other is None:
                return None
            found = comparison.compare(one, other).measures
            self._pairs.put(pair, apart, found)
        return found

    def _changes(
        self, newest: _Seen | str, references: Sequence[bytes], known: Sequence[_Seen | str], apart: _Apart
    ) -> list[comparison.Change | None]:
        """What changed from each reference, those in the most similar light first; None for those that were not
        needed."""
        changes: list[comparison.Change | None] = [None] * len(known)
        if isinstance(newest, str) or newest.prepared is None:
            return changes
        likeness = [
            (abs(math.log((newest.measures["mean"] + 4) / (reference.measures["mean"] + 4))), place)
            for place, reference in enumerate(known)
            if isinstance(reference, _Seen)
        ]
        for tried, (_, place) in enumerate(sorted(likeness)):
            if tried >= NEEDED and told_by(max(changes, key=agreement)):
                break
            theirs = self._prepared(references[place], apart)
            if theirs is None:
                continue
            change = changes[place] = comparison.compare(newest.prepared, theirs)
            if unchanged(change.measures):
                break
        for which, found in enumerate(changes):
            if misses(found):
                theirs, besides = self._prepared(references[which], apart), self._gone(references, which, apart)
                if theirs is not None and besides is not None:
                    changes[which] = comparison.compare(newest.prepared, theirs, besides)
        return changes

    def _gone(self, jpegs: Sequence[bytes], which: int, apart: _Apart) -> comparison.Places | None:
        """Where a reference shows what was there for a time only, by the others."""
        others = sorted(jpeg for n, jpeg in enumerate(jpegs) if n != which)
        key = _key([jpegs[which], *others], apart)
        if key not in self._passing:
            theirs, *rest = (self._prepared(jpeg, apart) for jpeg in (jpegs[which], *others))
            found = None if theirs is None else comparison.passing(theirs, (one for one in rest if one is not None))
            self._passing[key] = found
            while len(self._passing) > REMEMBERED:
                self._passing.popitem(last=False)
        return self._passing[key]


def _see(
    coded: bytes,
    apart: _Apart,
    decode: Decode,
    measures: Mapping[str, float] | None = None,
    *,
    compared: bool = True,
    kept: bool = False,
) -> _Seen | str:
    """One picture, measured (unless it was) and, if it is to be ``compared``, prepared for that; or why it can't be.
    If it is to be ``kept``, with every measure, and without its sheet."""
    try:
        decoded = decode(coded, WIDTH)
        height, width = decoded.picture.shape[:2]
        if min(height, width) < LEAST_SIDE or max(height, width) > LONGEST * min(height, width):
            size = f"{decoded.width} x {round(height * decoded.width / width)}"
            return f"a picture of {size} pixels shows nothing that could be judged"
        picture, blind = masking.fill(decoded.picture, apart.hidden) if apart.hidden else (decoded.picture, None)
        boxes, line = _burnt_in(coded, picture, decoded.width, apart, cut=not kept)
    except ValueError as error:
        return str(error)
    sheet = prepare(picture, decoded.scale, boxes, decoded.grumble)
    if blind is not None:
        sheet = replace(sheet, clear=_without(sheet.clear, blind))
    if measures is None:
        measures = look(sheet) if kept else asked(sheet)
        measures = {**measures, "width": float(decoded.width)}
    prepared = comparison.prepare(sheet, measures["noise"]) if compared else None
    return _Seen(measures, line, prepared, None if kept else sheet)


def _more(sheet: Sheet, known: Mapping[str, float], changes: Sequence[comparison.Change | None]) -> Mapping[str, float]:
    """What is still to be measured of a picture of which ``known`` is, after what has changed from its references."""
    compared = [change.measures for change in changes if change is not None]
    # What the filling of a decoder looks like is told from a view without edges by how many there are.
    if compared and all(map(as_sharp, compared)) and not known["plain_rows"]:
        return {}
    found = contours(sheet, known["noise"])
    if not any(map(unchanged, compared)):
        found["keen"] = keen(sheet, known["noise"])
    if not compared:
        found["shift"] = shift(sheet)
    return found


class _Memory:
    """Numbers by name for many pictures or pairs, little of each: their values in a row, the names once."""

    def __init__(self) -> None:
        self._rows: OrderedDict[int, tuple[tuple[str, ...], bytes]] = OrderedDict()
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def get(self, pictures: Sequence[bytes], apart: _Apart) -> Mapping[str, float] | None:
        row = self._rows.get(_key(pictures, apart))
        return None if row is None else dict(zip(row[0], np.frombuffer(row[1]).tolist(), strict=True))

    def put(self, pictures: Sequence[bytes], apart: _Apart, numbers: Mapping[str, float]) -> None:
        names = tuple(numbers)
        names = self._names.setdefault(names, names)
        self._rows[_key(pictures, apart)] = names, np.array([*numbers.values()], np.float64).tobytes()
        while len(self._rows) > REMEMBERED:
            self._rows.popitem(last=False)


def _key(pictures: Sequence[bytes], apart: _Apart) -> int:
    """What pictures are remembered by. Python's own hash of bytes is made once for each, is seeded anew in each process
    so that nobody can aim at another's, and takes a third of a digest's time; of 50,000 two are the same by one chance
    in ten thousand million."""
    return hash((apart, *pictures))


def _burnt_in(
    coded: bytes, picture: Picture, width: int, apart: _Apart, *, cut: bool = True
) -> tuple[tuple[Box, ...], burnt_in.Line | None]:
    """Where the clock is burnt in, as shares of the picture, and what shows it, if it is to be ``cut`` out."""
    if apart.osd is None:
        return (), None
    boxes = (apart.osd.shares(picture, width),)
    return boxes, burnt_in.line(coded, picture, width, apart.osd) if cut else None


def _without(clear: masking.Mask, blind: masking.Mask) -> masking.Mask:
    """What is clear of text, and of what is not looked at."""
    sized = cv2.resize(blind.astype(np.uint8), clear.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(clear & (sized == 0))


def _told(one: _Seen | str) -> Mapping[str, Any]:
    return {"refused": one} if isinstance(one, str) else {"measures": one.measures}


class _Earlier:
    """The frames before the newest, which are looked at only for what has changed between them, and only as far as that
    has to be known. ``refused``: one of them could not be read."""

    def __init__(self, frames: Sequence[bytes], newest: Sheet, apart: _Apart, decode: Decode) -> None:
        self.seen: list[_Seen | str] = [_Seen({}) for _ in frames[:-1]]
        self.refused = False
        self._frames, self._apart, self._decode = frames[:-1], apart, decode
        self._newest = newest.still

    def stills(self) -> Iterator[Still]:
        """The newest, and from the oldest on to it again: most are told by the first two."""
        yield self._newest
        for n, frame in enumerate(self._frames):
            try:
                decoded = self._decode(frame, WIDTH)
                boxes, line = _burnt_in(frame, decoded.picture, decoded.width, self._apart)
            except ValueError as error:
                self.refused = True
                self.seen[n] = str(error)
                return
            self.seen[n] = _Seen({}, line)
            shown = still(decoded.picture, boxes)
            height, width = shown.grey.shape
            blind = masking.blind(self._apart.hidden, width, height)
            yield replace(shown, clear=shown.clear & ~blind)
        yield self._newest


def _between(
    frames: Sequence[bytes], newest: _Seen | str, times: Sequence[datetime | None], apart: _Apart, decode: Decode
) -> tuple[list[_Seen | str], dict[str, float] | None]:
    """The frames before the newest, and what happened between all of them. ``identical``: 1 if all are the same bytes;
    ``seconds``: time from the first to the last, where it is known; the others are those of ``sequence.between``."""
    if len(frames) < 2 or isinstance(newest, str) or newest.sheet is None:
        return [_Seen({}) for _ in frames[:-1]], None
    begun, ended = times[0], times[-1]
    found = {} if begun is None or ended is None else {"seconds": (ended - begun).total_seconds()}
    if len(set(frames)) == 1:
        same: list[_Seen | str] = [_Seen({}, newest.line) for _ in frames[:-1]]
        return same, found | {"identical": 1.0, "same": 1.0, "told": 1.0, "difference": 0.0}
    earlier = _Earlier(frames, newest.sheet, apart, decode)
    told = sequence.between(earlier.stills())
    return earlier.seen, None if earlier.refused else found | {"identical": 0.0} | told
