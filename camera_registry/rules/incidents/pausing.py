"""This file charges the pauses of work orders: time that would be the device's own, but nobody was able to work.

Pauses are laid over the other spans, which stay as they are beneath them, so that evidence that comes late moves only
what it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from camera_registry.model.incident import Party, Span
from camera_registry.model.work_order import Hold

Spans = tuple[Span, ...]


def paused(spans: Spans, holds: Sequence[Hold]) -> Spans:
    """Spans in which the device is not charged while its order was on hold. Holds are in order, none inside another."""
    borders = [*(span.since for span in spans), None]
    laid: list[Span] = []
    for span, (begins, ends) in zip(spans, pairwise(borders), strict=True):
        assert begins is not None
        laid.append(span)
        if span.party is not Party.DEVICE:
            continue
        for hold in holds:
            since = max(hold.since, begins)
            if (hold.until is not None and hold.until <= since) or (ends is not None and since >= ends):
                continue
            laid.append(Span(Party.PAUSE, since))
            if hold.until is not None and (ends is None or hold.until < ends):
                laid.append(Span(Party.DEVICE, hold.until))
    return _merged(laid)


def unpaused(spans: Spans) -> Spans:
    """The spans beneath the pauses."""
    return _merged(Span(Party.DEVICE, span.since) if span.party is Party.PAUSE else span for span in spans)


def _merged(spans: Iterable[Span]) -> Spans:
    """Spans without those of no length, and with neighbours of one party as one."""
    kept: list[Span] = []
    for span in spans:
        if kept and kept[-1].since >= span.since:
            kept.pop()
        if not kept or kept[-1].party is not span.party:
            kept.append(span)
    return tuple(kept)
