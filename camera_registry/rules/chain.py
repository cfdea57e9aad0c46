"""This file decides which link of the chain is broken, from what the newest runs of a device's probes say.

Most links need no question of their own: a stream that was described has passed the gateway, the parent, the host, the
port and the password. Only where nothing answered has the poller asked on the spot (``Failure.way``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from camera_registry.model.chain import Chain, Link, LinkSeen, LinkState
from camera_registry.model.health import Aspect, Cause
from camera_registry.model.observation import Failure, FailureKind, Observation, ProbeSeen, Stage
from camera_registry.model.picture import JUDGED
from camera_registry.model.probe import PROBES

_THE_WAY = (Link.GATEWAY, Link.PARENT, Link.HOST)
_GUARDED = {Aspect.CONTROL, Aspect.STREAM, Aspect.PICTURE}
"""Aspects whose probes send the password, where the device wants one."""
Seen = ProbeSeen | Observation

_ORDER = tuple(Link)
_BY_KIND = {
    FailureKind.DNS: Link.HOST,
    FailureKind.AUTH: Link.CREDENTIALS,
    FailureKind.NO_MEDIA: Link.FRAME,
    FailureKind.UNDECODABLE: Link.FRAME,
}
_OWN = {Aspect.STREAM: Link.STREAM, Aspect.PICTURE: Link.FRAME}
_OF_THE_CAUSE = {
    Cause.POWER: Link.HOST,
    Cause.CLOCK_DRIFT: Link.CLOCK,
    Cause.LOW_FRAME_RATE: Link.STREAM,
    Cause.WRONG_STREAM: Link.STREAM,
    Cause.BLACK: Link.FRAME,
    **dict.fromkeys(JUDGED, Link.FRAME),
}
"""Faults that a verdict finds in answers that came."""


def chain(runs: Iterable[Seen], causes: Collection[Cause], blamed: str = "") -> Chain:
    """Every link of the chain to a device. ``causes``: what is held against it; ``blamed``: the parent that is down."""
    known = sorted(runs, key=lambda run: run.at)
    answered = max((run.at for run in known if _reached(run)), default=None)
    found = {link: LinkSeen(link, LinkState.NOT_ASKED) for link in Link}
    for run in known:
        found |= {seen.link: seen for seen in _passed(run)}
    for run in known:
        found |= {seen.link: seen for seen in _broken(run, answered)}
    for cause in (cause for cause in Cause if cause in causes):
        link = _OF_THE_CAUSE.get(cause)
        if link is not None and (found[link].state is not LinkState.BROKEN or cause is Cause.POWER):
            found[link] = LinkSeen(link, LinkState.BROKEN, f"cause.{cause.value}.name")
    if blamed:
        found[Link.PARENT] = LinkSeen(Link.PARENT, LinkState.BROKEN, "chain.parent_down", {"who": blamed})
    cut = next((link for link in _THE_WAY if found[link].state is LinkState.BROKEN), None)
    if cut is not None:
        # What was known of everything behind is of the time before.
        found |= {link: LinkSeen(link, LinkState.NOT_ASKED) for link in Link if _place(link) > _place(cut)}
    return tuple(found.values())


def _passed(run: Seen) -> Iterable[LinkSeen]:
    """The links that this run went through, or proves."""
    if not _reached(run):
        return
    broken = None if run.failure is None else link_of(run.probe, run.failure)
    end = len(Link) if broken is None else _place(broken)
    aspects = PROBES[run.probe].aspects if run.probe in PROBES else ()
    yield LinkSeen(Link.GATEWAY, LinkState.OK, "chain.passed")
    yield LinkSeen(Link.PARENT, LinkState.OK, "chain.passed")
    yield LinkSeen(Link.HOST, LinkState.OK, "chain.reached", {"probe": run.probe}, _seconds(run))
    if end > _place(Link.PORT):
        yield LinkSeen(Link.PORT, LinkState.OK, "chain.reached", {"probe": run.probe}, _seconds(run))
    offset = run.facts.get("clock_offset_seconds")
    if isinstance(offset, int | float):
        yield LinkSeen(Link.CLOCK, LinkState.OK, "chain.clock", {"offset": f"{offset:+.1f}"}, _seconds(run))
    if end > _place(Link.CREDENTIALS) and _GUARDED & {*aspects}:
        yield LinkSeen(Link.CREDENTIALS, LinkState.OK, "chain.taken", {"probe": run.probe}, _seconds(run))
    if end > _place(Link.STREAM) and Aspect.STREAM in aspects:
        yield LinkSeen(Link.STREAM, LinkState.OK, "chain.described", {}, _seconds(run))
    if broken is None and (Aspect.PICTURE in aspects or run.facts.get("frames")):
        yield LinkSeen(Link.FRAME, LinkState.OK, "chain.frame", {"probe": run.probe}, _seconds(run))


def _broken(run: Seen, answered: datetime | None) -> Iterable[LinkSeen]:
    """The links that this run found broken, with what was found of the way when nothing answered it. ``answered``: when
    anything of the device last did."""
    failure = run.failure
    if failure is None or failure.guessed or (link := link_of(run.probe, failure)) is None:
        return
    way = failure.way
    if link is Link.HOST and way is not None and (answered is None or way.at >= answered):
        yield from way.links
        host = way.of(Link.HOST)
        if any(seen.state is LinkState.BROKEN for seen in way.links):
            return
        if host is not None and host.state is LinkState.OK:
            if run.probe in PROBES and not PROBES[run.probe].port:
                return  # a ping that a living host does not answer is no port of it
            link = Link.PORT
    elif link is Link.HOST and answered is not None and answered >= run.at and failure.kind is not FailureKind.DNS:
        link = Link.PORT
    key = f"failure.{failure.key}" if failure.key else ""
    yield LinkSeen(link, LinkState.BROKEN, key, failure.values, _seconds(run), failure.detail)


def link_of(probe: str, failure: Failure) -> Link | None:
    """The link that a failure speaks of by itself; None for one of ours. Where nothing answers it is the host, as long
    as nobody has asked further."""
    kind, stage = failure.kind, failure.stage
    if kind is FailureKind.INTERNAL:
        return None
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    if failure.unanswered:
        return Link.HOST
    if kind is FailureKind.BUSY and stage is Stage.AUTHENTICATE:
        return Link.CREDENTIALS
    if kind in (FailureKind.NO_STREAM, FailureKind.BUSY):
        aspects = PROBES[probe].aspects if probe in PROBES else ()
        return next((_OWN[aspect] for aspect in aspects if aspect in _OWN), Link.PORT)
    return Link.FRAME if stage in (Stage.MEDIA, Stage.DECODE) else Link.PORT


def _reached(run: Seen) -> bool:
    """Whether anything of the device answered; a refusal is an answer by the host."""
    if run.failure is None:
        return True
    return link_of(run.probe, run.failure) not in (Link.HOST, None)


def _place(link: Link) -> int:
    return _ORDER.index(link)


def _seconds(run: Seen) -> float:
    return round(run.took, 4)
