"""The page of one device: what is wrong, since when, why, what to do next, and all that is known of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from aiohttp import web

from camera_registry.board import Board, BoardEntry, chain_of
from camera_registry.console import accepting, doubts, ordering, probing
from camera_registry.console.found import on_board
from camera_registry.console.history import strips
from camera_registry.console.pages.masked import outlined
from camera_registry.console.pages.seen import CHANNELS_SHOWN, views
from camera_registry.console.pages.show import show
from camera_registry.console.pages.summary import (
    Ground,
    channel_names,
    fact_lines,
    found_by,
    grounds,
    held_lines,
    run_lines,
)
from camera_registry.console.pages.trend import draw
from camera_registry.console.reader import READER, own_failure
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import DevicePageQuery, PageQuery
from camera_registry.console.snapshots import PICTURES, PictureKind
from camera_registry.console.trends import lines
from camera_registry.model.device import Device, Kind, Life, TlsUse, TrafficKind
from camera_registry.model.health import Cause, Flip, State
from camera_registry.model.incident import Severity
from camera_registry.model.recording import NotComputable, Recording
from camera_registry.model.register import Change
from camera_registry.rules.access import Action, may
from camera_registry.rules.chain import chain
from camera_registry.rules.coverage.steps import EVER
from camera_registry.rules.dispatch.opening import NOBODY_GOES
from camera_registry.store import health, incidents, recordings, register
from camera_registry.store.incidents import Wanted
from camera_registry.store.orders import Wanted as OrdersWanted
from camera_registry.store.recordings import Missing
from camera_registry.texts import Texts

_STRIPS = 24
_FLIPS_READ = 2000
_FLIPS_SHOWN = 50
_CHANGES_SHOWN = 30
_INCIDENTS_SHOWN = 20
_GAPS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Shot:
    """A kept picture as the page shows it. ``old``: it must not be taken for how things look now."""

    kind: PictureKind
    channel: str
    at: datetime
    old: bool
    width: int = 640
    height: int = 360


@dataclass(frozen=True, slots=True)
class Edit:
    """One field of one change of the register. ``field`` is empty for the creation itself."""

    at: datetime
    author: str
    field: str
    before: str
    after: str


async def device(asked: Asked[DevicePageQuery, Nothing]) -> web.StreamResponse:
    deps = asked.deps
    entry = on_board(deps.board, asked.item())
    now = deps.now()
    since = now - timedelta(days=asked.query.days)
    past = await deps.store.read(health.flips, device=entry.device.id, since=since, limit=_FLIPS_READ)
    flips = [one.flip for one in past]
    children = asked.request.app[READER].children(entry.device.id)
    live = asked.request.headers.get("HX-Request") == "true"
    seen = () if live else views(asked, entry)
    return show(
        asked,
        "device.html",
        query=asked.query,
        entry=entry,
        areas=_way_down(deps.board, entry.device.area),
        names=deps.board.names,
        incidents=await deps.store.read(incidents.page, Wanted(device=entry.device.id), limit=_INCIDENTS_SHOWN),
        orders=await ordering.listed(asked, OrdersWanted(about=entry.device.id), None, _INCIDENTS_SHOWN),
        next_due=ordering.next_due,
        order_causes=[cause for cause in Cause if cause not in NOBODY_GOES],
        severities=Severity,
        covering=deps.covering(entry.device.id, now),
        own_failure=own_failure(entry),
        blamed=_names(deps.board, (reason.blamed for reason in entry.reasons)),
        children=children,
        child_statuses=Counter(child.status for child in children),
        strips=strips(flips, entry.states, since, now, _STRIPS),
        flips=sorted(flips, key=happened, reverse=True)[:_FLIPS_SHOWN],
        happened=happened,
        since=since,
        grounds=_grounds(asked, entry),
        held=held_lines(entry),
        chain=chain_of(entry) if entry.reasons or any(held.cause for held in entry.states) else (),
        runs=run_lines(entry),
        facts=fact_lines(entry),
        channels=channel_names(entry),
        # The rest does not change while one looks, and looking at a picture anew would be one more look.
        recorded=None if live else await _recorded(asked, entry.device.id),
        file=() if live else _file(entry.device, deps.board, asked.words),
        pictures=() if live else await _pictures(asked, entry),
        doubtful=accepting.in_doubt,
        views=seen,
        usual_of={view.channel: view.usual for view in seen if view.usual is not None},
        doubts=None if live else doubts.of(asked, entry),
        trends=() if live else draw(await lines(asked, entry), deps.settings().health.policy().base.picture.lens),
        outlined=() if live else await outlined(asked, entry),
        changes=() if live else await _changes(asked, entry.device.id),
    )


def _grounds(asked: Asked[Any, Any], entry: BoardEntry) -> Sequence[Ground]:
    """What is wrong, in the reader's language and time zone."""
    words, zone = asked.words, asked.deps.zone()
    at = asked.deps.now().astimezone(zone)
    return grounds(entry, lambda failure: words.failure(failure, zone), lambda said: words.retold(said, at))


def happened(flip: Flip) -> datetime:
    """When a flip is told to have happened: silence begins when it has lasted, not at the last reading."""
    return flip.confirmed_at if flip.after is State.STALE else flip.at


async def probe(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    deps = asked.deps
    entry = on_board(deps.board, asked.item())
    runs = await asked.request.app[probing.PROBING].run(entry.device, asked.user.name)
    entry = deps.board.get(entry.device.id) or entry
    causes = {reason.cause for reason in entry.reasons}
    seen = tuple(observation for observation, _ in runs)
    return show(
        asked,
        "probe.html",
        device=entry.device,
        entry=entry,
        runs=runs,
        chain=chain(seen, causes),
        grounds=_grounds(asked, entry),
        blamed=_names(deps.board, (reason.blamed for reason in entry.reasons)),
        fresh=[cause for cause in found_by(seen, entry, deps.settings().health.policy()) if cause not in causes],
    )


def _way_down(board: Board, area: str) -> Sequence[tuple[str, str]]:
    """The areas a device lies in, the largest first."""
    way: list[tuple[str, str]] = []
    while area and area not in (code for code, _ in way):
        way.append((area, board.names.areas.get(area, "")))
        area = board.names.area_parents.get(area, "")
    return way[::-1]


def _names(board: Board, devices: Iterable[str]) -> Mapping[str, str]:
    entries = (board.get(one) for one in devices if one)
    return {entry.device.id: entry.device.name for entry in entries if entry is not None}


def _file(device: Device, board: Board, words: Texts) -> Sequence[tuple[str, str]]:
    """(field, value) of the device file as far as it is filled in."""
    names = board.names
    shown = []
    for field in fields(Device):
        value = getattr(device, field.name)
        if field.name.endswith("credential") or value in (None, "", (), 0):
            continue
        called = {"area": names.areas, "site": names.sites, "contractor": names.contractors}.get(field.name, {})
        text = plain(value, words)
        shown.append((field.name, f"{called[text]} ({text})" if called.get(text) else text))
    return shown


def plain(value: object, words: Texts) -> str:
    """A value of the register as people read it."""
    match value:
        case None | "":
            return "–"
        case Kind() | Life() | TrafficKind() | TlsUse():
            return words.name(value)
        case tuple() | list():
            return words("list.comma").join(str(one) for one in value)
        case date():
            return value.isoformat()
        case _:
            return str(value)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a device has recorded: the longest gaps first, or why that can't be told."""

    recordings: Sequence[Recording]
    gaps: Sequence[Missing]
    not_computable: NotComputable | None


async def _recorded(asked: Asked[DevicePageQuery, Nothing], device: str) -> Recorded | None:
    """None of a device that is not asked for recordings."""
    store = asked.deps.store
    found = await store.read(recordings.load, [device])
    why = (await store.read(recordings.not_computable, device)).get(device)
    if not (found or why):
        return None
    gaps = await store.read(recordings.missing, EVER, asked.deps.now(), device)
    return Recorded(found, gaps[:_GAPS_SHOWN], why)


async def _pictures(asked: Asked[DevicePageQuery, Nothing], entry: BoardEntry) -> Sequence[Shot]:
    if not may(asked.user, Action.SEE_PICTURES):
        return ()
    pictures = asked.request.app[PICTURES]
    channels = accepting.channels(entry)[:CHANNELS_SHOWN]
    limit = 2.5 * asked.deps.settings().probes.of("snapshot").interval
    now = asked.deps.now()
    shots = []
    for channel, times in (await pictures.times(entry.device.id, channels)).items():
        for kind in (PictureKind.LAST, PictureKind.LAST_GOOD, PictureKind.LAST_FAULTY):
            at = times.get(kind)
            if at is not None and (kind is PictureKind.LAST or at != times.get(PictureKind.LAST)):
                old = kind is not PictureKind.LAST or (now - at).total_seconds() > limit
                shots.append(Shot(kind, channel, at, old))
    return shots


async def _changes(asked: Asked[DevicePageQuery, Nothing], device: str) -> Sequence[Edit]:
    if not may(asked.user, Action.SEE_CHANGES):
        return ()
    changes = await asked.deps.store.read(register.changes_of, "device", device, limit=_CHANGES_SHOWN)
    return [edit for kept in changes for edit in _edits(kept.change, asked.words)]


def _edits(change: Change, words: Texts) -> Iterable[Edit]:
    if change.before is None:
        yield Edit(change.at, change.author, "", "", "")
        return
    after = change.after or {}
    for name in sorted({*change.before, *after}):
        yield Edit(change.at, change.author, name, plain(change.before.get(name), words), plain(after.get(name), words))


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "GET", "/devices/{id}", device, Action.SEE, DevicePageQuery, Nothing),
    Route(Surface.PAGE, "POST", "/devices/{id}/probe", probe, Action.PROBE, PageQuery, Nothing),
)
