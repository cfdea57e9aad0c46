"""This file reads the clock that a camera burns into its picture, with digits learned from the camera's own pictures.

The register says where the clock stands and how it is written; references say, by their time of capture, which digits
they show. So each camera teaches its own font; fonts at hand are there for digits not yet seen.

Every digit speaks for or against each figure, in nats; what is asked is which time the digits together speak for, and
how much less they speak for any time within a minute of the true one.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from probes.picture.measuring import lettering
from probes.picture.measuring.hand import Hand, Shapes, apart, gathered, learn
from probes.picture.measuring.sheet import Picture

_CODES = (("YYYY", "%Y"), ("MM", "%m"), ("DD", "%d"), ("HH", "%H"), ("mm", "%M"), ("SS", "%S"))
_HALF = re.compile(r"AM/PM|AM|PM|TT")
_DIRECTIVE = re.compile(r"%[YmdHIMS]")
_FIELDS = {
    "%Y": range(1970, 2100),
    "%m": range(1, 13),
    "%d": range(1, 32),
    "%H": range(24),
    "%I": range(1, 13),
    "%M": range(60),
    "%S": range(60),
}
_NEAR = np.array(sorted(range(-59, 60), key=abs))
"""Seconds by which a clock that is held to be right may be off, the least first."""
_PRINTED = (0.70, 20.0, -6.0, 4.0)
"""Likeness to a figure at which a digit speaks neither for nor against it, nats for each unit more, and the least and
the most: in the likest of the fonts at hand."""
_OWN = (6.0, 7.2, -8.0, 6.0)
"""The same in the camera's own font, of likeness lost: how many times more than between its digits of one figure, nats
over that, and the least and the most."""
_HALF_ALIKE = 0.5
"""Likeness of two figures, in any two of the fonts at hand, from which on one may be taken for the other: 0, 3, 5, 6, 8
and 9, or 1, 2 and 7; but no 4 is a 1, and no 7 a 0, however a camera writes."""
_LEARNED = 4.0
"""Nats by which a figure must be the likeliest, to be learned from a reference."""
_ANOTHER = 9.0
"""Nats by which another time must be likelier than all within a minute of the true one, to be half sure of it."""
_DOUBT = 2.0
"""Nats below which nothing speaks against the true time."""
_STRANGE = -5.0
"""Nats of one digit, from which down a clock that is like the true one in the others is not taken for read."""
_FOREIGN = 1.5
"""Nats that likeness to a font at hand is worth less, where the camera's own is known."""
LEAST = 0.5
_READ = 0.6
"""Share of the digits that must look like some figure, for a line to be read; and like their own, in references."""
_LONGEST = 64
"""Letters of a line."""
_FEW, _SAME = 12, 0.85
"""Digits below which they can't be held against each other, and share that must be most like those of their figure."""
_STILL = 0.90
"""Likeness of each digit to itself in an earlier picture, from which on it has not changed."""

Speaks = NDArray[np.float32]
"""Digits x 10 figures, in nats."""
Figures = NDArray[np.intp]
"""What digits show, of one text or (texts x digits) of many."""


@lru_cache(maxsize=256)
def code(layout: str) -> str:
    """The layout of a register (YYYY-MM-DD HH:MM:SS) as a format for strftime. MM after HH are minutes; with AM/PM the
    hours are those of half a day, and which half is not read. Other letters stand for themselves."""
    head, hours, tail = _HALF.sub("AM", layout.replace("%", " ")).partition("HH")
    written = head + hours + tail.replace("MM", "mm", 1)
    if "AM" in written:
        written = written.replace("HH", "%I")
    for name, directive in _CODES:
        written = written.replace(name, directive)
    return written


def confirm(newest: Sequence[tuple[Picture, datetime]], layout: str, hand: Hand) -> dict[str, float] | None:
    """What ``read`` says of a clock that runs and is right, by what is known of the camera's ``hand``; None where only
    reading it anew can tell."""
    written, at, then = code(layout), newest[-1][1], newest[0][1]
    mine = hand.marks(newest[-1][0])
    learned, font = hand.learned(), lettering.fonts()[hand.font]
    speaks = _speak(mine, learned, font, hand.apart)
    near = _near(speaks, at, written)
    due = _digits(near.strftime(written))
    said = _said(speaks, due)
    clear, another = float(np.mean(said > 0)), float((speaks.max(axis=1) - said).sum())
    if clear < _READ or said.min() <= _STRANGE or another >= _DOUBT:
        return None
    # Letters may be so small that one figure looks like another: then a wrong one would be no less welcome.
    np.put_along_axis(speaks, due[:, None], -np.inf, axis=1)
    if np.delete(said - speaks.max(axis=1), _seconds(written)).min() < _DOUBT:
        return None
    found = {"sure": clear, "seconds_off": _off(near, at), "another": another}
    if at.strftime(written) != then.strftime(written):
        earlier = hand.marks(newest[0][0])
        if _unchanged(mine, earlier):
            return None
        if _still(_speak(earlier, learned, font, hand.apart), near, at - then, written) >= _ANOTHER:
            return None
        found["stopped"] = 0.0
    return found


def read(
    newest: Sequence[tuple[Picture, datetime]],
    known: Sequence[tuple[Picture, datetime]],
    layout: str,
    keep: Callable[[Hand], None] = lambda _: None,
    seen: Sequence[Picture] = (),
) -> dict[str, float] | None:
    """What the clock of ``newest`` (cut-outs of frames, oldest first, with their times) says.

    ``known`` are cut-outs whose clock was right. ``seconds_off``: shown minus true, in seconds, of the last frame;
    ``sure``: 0 to 1, how clearly it was read; ``stopped``: 1 if frames of different times show one time; ``another``:
    by how many nats its digits speak for another time rather than for any within a minute of the true one.
    None where no digits stand where they should. ``keep`` is told the camera's hand, where its clock is clearly right:
    as ``known`` are ``seen``, where later pictures will be as small as those.
    """
    written = code(layout)
    at = newest[-1][1]
    cuts = [cut for cut, _ in (newest[-1], *known, *newest[:-1][:1])]
    if not re.search("%[HI]", written) or len(written) > _LONGEST:
        return None
    letters = lettering.find(cuts, at.strftime(written), len(known) + 1)
    if letters is None:
        return None
    mine, *others = (lettering.marks(line, letters.places) for line in letters.lines)
    theirs, earlier = others[: len(known)], others[-1] if len(newest) > 1 else mine
    found = {"sure": 0.0}
    then = newest[0][1]
    if at.strftime(written) != then.strftime(written):
        found["stopped"] = float(_unchanged(mine, earlier))
    which = _likest([mine, *theirs])
    font = lettering.fonts()[which]
    before = [(marks, taken) for marks, (_, taken) in zip(theirs, known, strict=True)]
    if before:
        alike = _consistent(before, written)
        if max(alike, _familiar(before, written, font)) < (_SAME if alike else _READ):
            return found
    taught = _taught(before, written, font)
    learned = gathered(theirs, taught)
    speaks = _speak(mine, learned, font)
    near = _near(speaks, at, written)
    told = _likeliest(speaks, at, written)
    excused = _mistakable() if not known else np.ones((10, 10), np.bool_)
    another = _for_another(speaks, told.strftime(written), near.strftime(written), learned, excused)
    if another < _ANOTHER:
        # Most clocks are right.
        told = near
    if found.get("stopped") == 0 and _still(_speak(earlier, learned, font), told, at - then, written) >= _ANOTHER:
        found["stopped"] = 1.0
    said = _said(speaks, _digits(told.strftime(written)))
    clear = float(np.mean(said > 0)) if said.min() > _STRANGE or another >= _ANOTHER else 0.0
    found |= {"seconds_off": _off(told, at), "another": another}
    if clear >= _READ and (another >= _ANOTHER or another < _DOUBT):
        found["sure"] = min(1.0, LEAST * another / _ANOTHER) if another >= _ANOTHER else clear
        if another < _DOUBT and learned:
            keep(learn(letters, which, seen or [cut for cut, _ in known], taught))
    return found


def _off(shown: datetime, at: datetime) -> float:
    return (shown - at.replace(tzinfo=None, microsecond=0)).total_seconds()


def _unchanged(mine: lettering.Marks, earlier: lettering.Marks) -> bool:
    """Whether each digit is the same as in an earlier picture."""
    alike = (mine @ lettering.middle(earlier)[:, :, None]).max(axis=1)
    return bool(alike.min() > _STILL)


def _likest(lines: Sequence[lettering.Marks]) -> int:
    """Which of the fonts at hand these digits are most like."""
    fonts, every = lettering.fonts(), np.concatenate(lines)
    alike = lettering.likeness(every, fonts.reshape(-1, fonts.shape[-1])).reshape(len(every), len(fonts), 10)
    return int(np.argmax(alike.max(axis=2).mean(axis=0)))


def _familiar(before: Sequence[tuple[lettering.Marks, datetime]], written: str, font: NDArray[np.float32]) -> float:
    """Share of the digits that must be known which this font shows what they are: letters are not looked for beside
    where they stand."""
    seen = [lettering.likeness(marks, font).argmax(axis=1) for marks, _ in before]
    must = [_known(at, written) for _, at in before]
    right = [float(np.mean(told[known] == due[known])) for told, (due, known) in zip(seen, must, strict=True)]
    return float(np.mean(right))


def _consistent(before: Sequence[tuple[lettering.Marks, datetime]], written: str) -> float:
    """Share of the same digits that look most like one of the same figure, of all that stand elsewhere in the line: so
    letters of any font are known from what stays where it is. 0 where there are too few."""
    must = [_known(at, written) for _, at in before]
    marks = np.concatenate([marks[known] for (marks, _), (_, known) in zip(before, must, strict=True)])
    figures = np.concatenate([due[known] for due, known in must])
    places = np.concatenate([np.flatnonzero(known) for _, known in must])
    alike = lettering.likeness(marks, lettering.middle(marks))
    alike[places[:, None] == places[None, :]] = -1.0
    same = figures[:, None] == figures[None, :]
    asked = ((alike > -1) & same).any(axis=1)
    if np.count_nonzero(asked) < _FEW:
        return 0.0
    return float(np.mean(figures[alike.argmax(axis=1)][asked] == figures[asked]))


def _known(at: datetime, written: str) -> tuple[Figures, NDArray[np.bool_]]:
    """What a right clock shows, and which of its digits are the same a minute before and after."""
    shown = _about(at, written)
    return shown[0], (shown == shown[0]).all(axis=0)


def _taught(
    known: Sequence[tuple[lettering.Marks, datetime]], written: str, font: NDArray[np.float32]
) -> Sequence[Sequence[int | None]]:
    """The figures that the digits of references are known to show: those that are the same at any second about the time
    of capture first, and with the help of what they look like those that can be told then."""
    # A picture that was accepted and shows, clearly, another time would teach to call a right clock wrong.
    honest = [_misled(_speak(marks, {}, font), at, written) < 2 * _ANOTHER for marks, at in known]
    every = [marks for marks, _ in known]
    learned: Shapes = {}
    told: list[list[int | None]] = []
    for _ in range(2):
        told = []
        for (marks, at), right in zip(known, honest, strict=True):
            speaks = _speak(marks, learned, font) if learned else np.zeros((len(marks), 10), np.float32)
            told.append(list(_told(speaks, at, written)) if right else [None] * len(marks))
        learned = gathered(every, told)
    return told


def _told(speaks: Speaks, at: datetime, written: str) -> Iterator[int | None]:
    """What each digit shows, if the clock shows any second about this time; None for one that can't be told."""
    shown = _about(at, written)
    nats = _nats(speaks, shown)
    for figures in shown.T:
        best = int(figures[int(np.argmax(nats))])
        others = nats[figures != best]
        yield best if not len(others) or nats.max() - others.max() > _LEARNED else None


def _misled(speaks: Speaks, at: datetime, written: str) -> float:
    """By how many nats another time is likelier than this."""
    times = _likeliest(speaks, at, written), _near(speaks, at, written)
    told, near = (_digits(time.strftime(written)) for time in times)
    return float(_nats(speaks, told) - _nats(speaks, near))


def _still(earlier: Speaks, shown: datetime, gone: timedelta, written: str) -> float:
    """By how many nats the digits of an earlier picture speak for what is ``shown`` now, rather than for what a clock
    that runs showed then."""
    gone = timedelta(seconds=round(gone.total_seconds()))
    ran = [_digits((shown - gone + timedelta(seconds=away)).strftime(written)) for away in (-1, 0, 1)]
    return float(_nats(earlier, _digits(shown.strftime(written))) - _nats(earlier, np.stack(ran)).max())


@cache
def _mistakable() -> NDArray[np.bool_]:
    """Which figure may be which other in another font (due x seen): those that are half alike in fonts at hand."""
    every = lettering.fonts().reshape(-1, lettering.fonts().shape[-1])
    alike = (every @ every.T).reshape(-1, 10, len(every) // 10, 10).max(axis=(0, 2))
    return np.asarray(alike >= _HALF_ALIKE)


def _for_another(speaks: Speaks, told: str, near: str, learned: Collection[int], excused: NDArray[np.bool_]) -> float:
    """By how many nats the digits speak for ``told`` rather than for ``near``. Where a figure that the camera has not
    shown yet looks like one other that it has not shown either, wherever it is due, that may be the font's doing, if
    that is an excuse for this pair (due x seen), and counts half."""
    shown, due = _digits(told), _digits(near)
    gained = _said(speaks, shown) - _said(speaks, due)
    for figure in set(due.tolist()) - set(learned):
        places = due == figure
        seen = set(shown[places].tolist())
        if len(seen) == 1 and not seen & set(learned) and excused[figure, seen.pop()]:
            gained[places] /= 2
    return float(gained.sum())


def _speak(
    of: lettering.Marks,
    learned: Shapes,
    font: NDArray[np.float32],
    away: float | None = None,
) -> Speaks:
    """What each digit speaks for. ``away``: how far ``apart`` digits of one figure are, where that is known."""
    alike = lettering.likeness(of, np.concatenate([font, *learned.values()]))
    speaks = _weighed(alike[:, :10], _PRINTED)
    neither, over, least, most = _OWN
    lost = neither * (apart(learned) if away is None else away)
    law = 1 - lost, over / lost, least, most
    place = 10
    for figure, shapes in learned.items():
        own = _weighed(alike[:, place : place + len(shapes)].max(axis=1), law)
        # What was seen once may have been spoilt there.
        speaks[:, figure] = own if len(shapes) > 1 else np.maximum(own, speaks[:, figure] - _FOREIGN)
        place += len(shapes)
    return speaks


def _weighed(likeness: NDArray[np.float32], law: tuple[float, float, float, float]) -> Speaks:
    neither, slope, least, most = law
    return np.asarray(np.clip(slope * (likeness - neither), least, most), dtype=np.float32)


def _near(speaks: Speaks, at: datetime, written: str) -> datetime:
    """The time within a minute of this one that the digits speak for most."""
    away = int(_NEAR[int(np.argmax(_nats(speaks, _about(at, written))))])
    return at.replace(tzinfo=None, microsecond=0) + timedelta(seconds=away)


@lru_cache(maxsize=16)
def _about(at: datetime, written: str) -> Figures:
    """What a clock shows at each of the seconds about a time, in the order of ``_NEAR``."""
    minute = at.replace(second=0)
    seconds = at.second + _NEAR
    shown = np.stack([_digits((minute + timedelta(minutes=n)).strftime(written)) for n in (-1, 0, 1)])[
        seconds // 60 + 1
    ]
    place = _seconds(written)
    shown[:, place] = _figures("%S")[seconds % 60][:, : len(place)]
    return np.asarray(shown)


def _seconds(written: str) -> list[int]:
    """Which of the digits are those of the seconds; none, where none are shown."""
    before, _, _ = written.partition("%S")
    place = sum(4 if directive == "%Y" else 2 for directive in _DIRECTIVE.findall(before))
    return [place, place + 1] if "%S" in written else []


def _likeliest(speaks: Speaks, at: datetime, written: str) -> datetime:
    """The time that the digits speak for most, whatever it is; of the halves of a day that which is nearer to ``at``,
    if they do not tell."""
    values, place = {}, 0
    for directive in _DIRECTIVE.findall(written):
        choices = _FIELDS[directive]
        shown = _figures(directive)
        part = speaks[place : place + shown.shape[1]]
        values[directive] = choices[int(np.argmax(_nats(part, shown)))]
        place += len(part)
    year, month = values.get("%Y", 1900), values.get("%m", 1)
    day = min(values.get("%d", 1), monthrange(year, month)[1])
    hour = values.get("%H", values.get("%I", 0) % 12)
    told = datetime(year, month, day, hour, values.get("%M", 0), values.get("%S", 0))  # noqa: DTZ001
    halves = (told, told + timedelta(hours=12)) if "%I" in values else (told,)
    return min(halves, key=lambda half: abs(half - at.replace(tzinfo=None)))


@cache
def _figures(directive: str) -> Figures:
    """What is shown of each value of a field."""
    return np.stack([_digits(f"{value:0{4 if directive == '%Y' else 2}d}") for value in _FIELDS[directive]])


def _digits(text: str) -> Figures:
    return np.array([int(letter) for letter in text if letter.isdigit()], np.intp)


def _said(speaks: Speaks, shown: Figures) -> Speaks:
    """What each digit says to its figure, of one text or of each of many."""
    return speaks[np.arange(len(speaks)), shown]


def _nats(speaks: Speaks, shown: Figures) -> NDArray[np.float32]:
    return np.asarray(_said(speaks, shown).sum(axis=-1))
