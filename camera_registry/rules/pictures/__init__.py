"""This package judges pictures: measures and limits in, faults and what could not be told out.

Judges are asked in the order in which faults hide each other. A fault that has destroyed what another judge infers from
makes that judge stand down: a dark picture is not also blurred, covered and moved.
"""

from __future__ import annotations

from collections.abc import Callable

from camera_registry.model.health import Cause
from camera_registry.model.picture import JUDGED, Judgement, Limits, PictureFault, Sight, Unjudged
from camera_registry.rules.pictures import electronics, light, view
from camera_registry.rules.pictures.evidence import Evidence, Verdict, gather

_STRUCTURE = frozenset({Cause.MOVED, Cause.COVERED, Cause.BLURRED, Cause.DIRTY, Cause.LOW_CONTRAST})
_SEEN = _STRUCTURE | {Cause.COLOUR_CAST, Cause.NOISY, Cause.STRIPED, Cause.DARK, Cause.OVEREXPOSED}

_HIDDEN = 0.5
"""Share of the picture that is masked, from which on the rest does not stand for the whole."""
_OF_THE_REST = frozenset({Cause.FROZEN, Cause.OSD_CLOCK})
"""What can be told whatever is masked."""

_LIMITS = Limits()
_SURE = 0.6
"""Score from which on a fault silences others. What lets light through may be a bag, or the lens itself."""

_JUDGES: tuple[tuple[Cause, Callable[[Evidence], Verdict], frozenset[Cause]], ...] = (
    (Cause.NO_SIGNAL, light.no_signal, _SEEN | {Cause.CORRUPT, Cause.FROZEN}),
    (Cause.FROZEN, electronics.frozen, frozenset()),
    (Cause.STRIPED, electronics.striped, _STRUCTURE | {Cause.NOISY, Cause.CORRUPT}),
    (Cause.CORRUPT, electronics.corrupt, _STRUCTURE | {Cause.OVEREXPOSED, Cause.DARK, Cause.COLOUR_CAST}),
    (Cause.OVEREXPOSED, light.overexposed, _STRUCTURE | {Cause.COLOUR_CAST}),
    (Cause.DARK, light.dark, _STRUCTURE | {Cause.COLOUR_CAST, Cause.NOISY}),
    (Cause.NOISY, electronics.noisy, _STRUCTURE),
    (Cause.MOVED, view.moved, _STRUCTURE),
    (Cause.LOW_CONTRAST, light.low_contrast, _STRUCTURE | {Cause.COLOUR_CAST}),
    (Cause.COVERED, view.covered, frozenset({Cause.BLURRED, Cause.DIRTY, Cause.COLOUR_CAST})),
    (Cause.BLURRED, view.blurred, frozenset({Cause.DIRTY})),
    (Cause.DIRTY, view.dirty, frozenset()),
    (Cause.COLOUR_CAST, light.colour_cast, frozenset()),
    (Cause.OSD_CLOCK, electronics.osd_clock, frozenset()),
)
"""Causes in the order of asking, each with its judge and whom it silences when it has found something."""


def judge(sight: Sight, limits: Limits | None = None) -> Judgement:
    """Judge the newest frame of ``sight``, against its references and the frames before it where there are some."""
    newest = sight.frames[-1]
    if newest.measures is None:
        rest: dict[Cause, Unjudged] = dict.fromkeys(JUDGED, Unjudged.UNREADABLE_PICTURE)
        del rest[Cause.CORRUPT]
        return Judgement((PictureFault(Cause.CORRUPT, 1.0),), (Cause.CORRUPT,), rest, {Cause.CORRUPT: 1.0})
    evidence = gather(sight, newest.measures, limits or _LIMITS)
    faults: list[PictureFault] = []
    checked: list[Cause] = []
    not_checked: dict[Cause, Unjudged] = {}
    scores: dict[Cause, float] = {}
    silenced: set[Cause] = set()
    for cause, ask, silences in _JUDGES:
        if cause in silenced:
            not_checked[cause] = Unjudged.STANDS_DOWN
            continue
        if sight.masked >= _HIDDEN and cause not in _OF_THE_REST:
            not_checked[cause] = Unjudged.MASKED
            continue
        said = ask(evidence)
        if isinstance(said, Unjudged):
            not_checked[cause] = said
            continue
        checked.append(cause)
        scores[cause] = said.score
        if isinstance(said, PictureFault):
            faults.append(said)
            silenced |= silences if said.score >= _SURE else frozenset()
    faults.sort(key=lambda fault: -fault.score)
    return Judgement(tuple(faults), tuple(checked), not_checked, scores)
