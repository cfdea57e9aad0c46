"""This file keeps how a camera writes its clock, so that the next picture need not be read anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from probes.picture.measuring import lettering
from probes.picture.measuring.sheet import Picture

Shapes = Mapping[int, NDArray[np.float32]]
"""What a camera's own figures look like: of each figure shapes x pixels."""

_APART = (0.01, 0.05)
"""How much likeness digits of one figure lose to each other, at least and at most."""
_SHAPES = 3
"""Digits of one figure that are kept: those of one camera differ by where they stand between its pixels."""
_STEPS = 254.0
"""Steps of 1 in which a digit is kept: hardly a pixel of one of length 1 comes near to a half."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Where a camera's digits stand in lines of this ``width``, whether they are ``dark``, and what they look like.

    ``digits``: what references showed of the ``figures``, in steps of 1 / 254; ``apart``: see ``apart``; ``font``:
    which of those at hand is the likest. 5 kB, 7 at most.
    """

    width: int
    dark: bool
    places: lettering.Places
    digits: NDArray[np.int8]
    figures: tuple[int, ...]
    apart: float
    font: int

    def learned(self) -> Shapes:
        digits, figures = self.digits * np.float32(1 / _STEPS), np.array(self.figures)
        return {figure: digits[figures == figure] for figure in dict.fromkeys(self.figures)}

    def marks(self, cut: Picture) -> lettering.Marks:
        return lettering.marks(lettering.line(cut, self.width, dark=self.dark), self.places)


def learn(letters: lettering.Found, font: int, cuts: Sequence[Picture], told: Sequence[Sequence[int | None]]) -> Hand:
    """A hand of what references show in ``cuts``, which may be smaller than those in which the ``letters`` were found;
    ``told``: the figures of each, as far as they are known."""
    width = lettering.width(cuts[0])
    wider, places = width / letters.width, letters.places
    places = replace(places, middles=tuple(wider * x for x in places.middles), wide=wider * places.wide)
    marks = [lettering.marks(lettering.line(cut, width, dark=letters.dark), places) for cut in cuts]
    learned = gathered(marks, told)
    kept = {figure: _various(shapes) for figure, shapes in learned.items()}
    digits = np.clip(np.rint(np.concatenate([*kept.values()]) * _STEPS), -127, 127).astype(np.int8)
    figures = tuple(figure for figure, shapes in kept.items() for _ in shapes)
    return Hand(width, letters.dark, places, digits, figures, apart(learned), font)


def gathered(marks: Sequence[lettering.Marks], told: Sequence[Sequence[int | None]]) -> Shapes:
    """The shapes of each figure, by the figures that digits are told to show."""
    shapes: dict[int, list[NDArray[np.float32]]] = {}
    for seen, figures in zip(marks, told, strict=True):
        for mark, figure in zip(lettering.middle(seen), figures, strict=True):
            if figure is not None:
                shapes.setdefault(figure, []).append(mark)
    return {figure: np.stack(seen) for figure, seen in shapes.items()}


def apart(learned: Shapes) -> float:
    """How much likeness digits of one figure lose to each other, by what coding, noise and the scene make of them."""
    lost = []
    for shapes in learned.values():
        if len(shapes) > 1:
            alike = shapes @ shapes.T
            np.fill_diagonal(alike, -1.0)
            lost += (1 - alike.max(axis=1)).tolist()
    return float(np.clip(np.median(lost), *_APART)) if lost else 0.03


def _various(shapes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The likest to all, and those that are the least like what was chosen before."""
    alike = shapes @ shapes.T
    chosen = [int(alike.sum(axis=1).argmax())]
    while len(chosen) < min(_SHAPES, len(shapes)):
        chosen.append(int(alike[:, chosen].max(axis=1).argmin()))
    return shapes[chosen]
