"""What a view should look like and what the newest judgement says of it: a part of the device page, and its forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from camera_registry.board import BoardEntry
from camera_registry.console import accepting
from camera_registry.console.pages.show import go_to_device
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import Blank, Form, PageQuery
from camera_registry.model.baseline import Baseline, Regime
from camera_registry.model.health import Aspect, Cause, Subject
from camera_registry.model.observation import ProbeSeen
from camera_registry.model.picture import Unjudged
from camera_registry.rules.access import Action
from camera_registry.rules.pictures import watching
from camera_registry.store.pictures import PictureKind
from camera_registry.texts import Texts

CHANNELS_SHOWN = 16


@dataclass(frozen=True, slots=True)
class Found:
    """A fault of the newest picture. ``since``: when it was first seen, if it is believed; ``tiles``: (column, row) of
    those that are concerned; ``clock``: what is wrong with a burnt-in clock, in words."""

    cause: Cause
    score: float
    since: datetime | None
    tiles: Sequence[tuple[int, int]]
    clock: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """The newest judgement of a channel."""

    at: datetime
    light: Regime | None
    references: int
    faults: Sequence[Found]
    not_checked: Mapping[Unjudged, Sequence[Cause]]


@dataclass(frozen=True, slots=True)
class View:
    """One channel: the pictures that were accepted of it, oldest first, and what was last found."""

    channel: str
    accepted: Sequence[Baseline]
    judged: Judged | None

    @property
    def usual(self) -> Baseline | None:
        """The newest accepted picture in the light of the newest judgement, or else in any; None: there is none."""
        light = self.judged.light if self.judged else None
        return max(self.accepted, key=lambda one: (one.regime is light, one.id), default=None)


class AcceptForm(Form):
    """Which kept picture is meant to look so, and why, if something seems wrong with it."""

    channel: str = Field("", max_length=200)
    kind: PictureKind = PictureKind.LAST
    reason: str = Field("", max_length=2000)
    taken: Annotated[AwareDatetime | None, Blank] = None


def views(asked: Asked[Any, Any], entry: BoardEntry) -> Sequence[View]:
    """The channels of which there is something to say."""
    shown = []
    for channel in accepting.channels(entry)[:CHANNELS_SHOWN]:
        runs = sorted((run for run in entry.probes if run.channel == channel), key=lambda run: run.at)
        called = {Cause.NO_SIGNAL: Cause.BLACK} if _is_black(entry, channel) else {}
        told = (judged(run, asked.words, called) for run in reversed(runs))
        newest = next((found for found in told if found is not None), None)
        accepted = asked.deps.gallery.of(entry.device.id, channel)
        if accepted or newest is not None:
            shown.append(View(channel, accepted, newest))
    return shown


def _is_black(entry: BoardEntry, channel: str) -> bool:
    """Whether the channel's picture is known to be black, which the judge of pictures calls a lost signal."""
    about = Subject(entry.device.id, Aspect.PICTURE, channel)
    return any(state.cause is Cause.BLACK for state in entry.states if state.subject == about)


def judged(run: ProbeSeen, words: Texts, called: Mapping[Cause, Cause]) -> Judged | None:
    """The judgement that a run's facts hold, if any; what it finds is ``called`` as the page calls it elsewhere."""
    told = watching.judged(run.facts)
    if told is None:
        return None
    since = watching.noticed(run.facts)
    not_checked: dict[Unjudged, list[Cause]] = {}
    for cause, reason in told["not_checked"].items():
        not_checked.setdefault(Unjudged(reason), []).append(Cause(cause))
    faults = [
        Found(called.get(cause, cause), one["score"], since.get(cause), _places(one["tiles"]), _clock(one, words))
        for one in told["faults"]
        for cause in (Cause(one["cause"]),)
    ]
    light = Regime(told["regime"]) if told["regime"] else None
    return Judged(run.last_success or run.at, light, told["references"], faults, not_checked)


def _clock(fault: Mapping[str, Any], words: Texts) -> str:
    """What a burnt-in clock does wrong."""
    told = fault["evidence"]
    if fault["cause"] != Cause.OSD_CLOCK or "seconds_off" not in told:
        return ""
    off = told["seconds_off"]
    said = "masked.stands" if told.get("stopped") else "masked.behind" if off < 0 else "masked.ahead"
    return words(said, span=words.duration(timedelta(seconds=abs(off))))


def _places(rows: Sequence[str]) -> Sequence[tuple[int, int]]:
    return [(column, row) for row, tiles in enumerate(rows) for column, tile in enumerate(tiles) if tile == "1"]


async def accept(asked: Asked[PageQuery, AcceptForm]) -> web.StreamResponse:
    form = asked.body
    await accepting.accept(asked, form.channel, form.kind, form.reason, form.taken)
    return go_to_device(asked.item(), "#seen")


async def take_back(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    await accepting.take_back(asked)
    return go_to_device(asked.item(), "#seen")


_ALL = "/devices/{id}/baselines"

ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "POST", _ALL, accept, Action.ACCEPT, PageQuery, AcceptForm),
    Route(Surface.PAGE, "POST", f"{_ALL}/{{number}}/take-back", take_back, Action.ACCEPT, PageQuery, Nothing),
)
