"""From flips to a picture of the past: which state an aspect was in from when to when, ready to be drawn as a strip."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from camera_registry.model.health import AspectState, Cause, Flip, State, Subject

WIDTH = 1000
"""A strip's width in its own units: one thousandth of the period each."""

_THINNEST = 3.0
"""Units below which a block could not be seen or pointed at."""


@dataclass(frozen=True, slots=True)
class Span:
    """One state from ``begin`` to ``end``; ``since`` and ``until`` clip it to the period shown."""

    state: State
    cause: Cause | None
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Block:
    """A span with its place in the strip, in units of ``WIDTH``."""

    span: Span
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Strip:
    """The past of one subject as blocks, oldest first."""

    subject: Subject
    blocks: tuple[Block, ...]


def spans(flips: Sequence[Flip], now_held: AspectState | None, since: datetime, now: datetime) -> tuple[Span, ...]:
    """The states of one subject over the period, oldest first.

    ``flips`` are those of the subject inside the period, oldest first. Before the first of them stands its ``before``;
    without any, what is held now has stood since it began, and before that nothing is known.
    """
    found: list[Span] = []
    at, state, cause = since, State.UNKNOWN, None
    if flips:
        state = flips[0].before
    elif now_held is not None and now_held.settled is not State.UNKNOWN:
        begun = (now_held.read_at if now_held.settled is State.STALE else now_held.since) or now
        if begun > since:
            found.append(Span(State.UNKNOWN, None, since, min(begun, now)))
        at, state, cause = max(since, min(begun, now)), now_held.settled, now_held.cause
    for flip in flips:
        # A flip begins at the first sign, which may lie before the end of what was believed until then.
        begun = min(max(flip.at, at), now)
        if begun > at:
            found.append(Span(state, cause, at, begun))
        at, state, cause = begun, flip.after, flip.cause
    if now > at:
        found.append(Span(state, cause, at, now))
    return tuple(found)


def placed(begin: timedelta, end: timedelta, of: timedelta, *, wide: bool) -> tuple[float, float]:
    """Where a stretch stands in a strip, and its width, in units of ``WIDTH``; ``wide``: never too thin to
    be seen."""
    scale = WIDTH / (of / timedelta(seconds=1) or 1.0)
    x, width = begin.total_seconds() * scale, (end - begin).total_seconds() * scale
    if wide and width < _THINNEST:
        x, width = max(0.0, min(x, WIDTH - _THINNEST)), _THINNEST
    return round(x, 2), round(width, 2)


def strip(subject: Subject, past: Iterable[Span], since: datetime, now: datetime) -> Strip:
    """Blocks in thousandths of the period. A fault too short to be seen is drawn as wide as it must be to be seen."""
    period = now - since
    blocks = [
        Block(span, *placed(span.begin - since, span.end - since, period, wide=span.state is not State.OK))
        for span in past
    ]
    # What is wrong is drawn last, so that nothing good hides it.
    blocks.sort(key=lambda block: block.span.state is not State.OK)
    return Strip(subject, tuple(blocks))


def strips(
    flips: Iterable[Flip], held: Iterable[AspectState], since: datetime, now: datetime, most: int
) -> tuple[Strip, ...]:
    """A strip for each subject that has a state now or flipped in the period; at most ``most``, flipped ones first."""
    by_subject: dict[Subject, list[Flip]] = {}
    for flip in sorted(flips, key=lambda flip: (flip.at, flip.confirmed_at)):
        by_subject.setdefault(flip.subject, []).append(flip)
    now_held = {state.subject: state for state in held}
    order = {subject: place for place, subject in enumerate(now_held)}
    subjects = sorted(
        {*by_subject, *now_held},
        key=lambda subject: (
            subject not in by_subject,
            order.get(subject, len(order)),
            subject.channel,
            subject.aspect,
        ),
    )[:most]
    subjects.sort(key=lambda subject: (order.get(subject, len(order)), subject.channel, subject.aspect))
    return tuple(
        strip(subject, spans(by_subject.get(subject, ()), now_held.get(subject), since, now), since, now)
        for subject in subjects
    )
