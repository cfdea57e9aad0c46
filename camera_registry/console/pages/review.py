"""The review sheet: pictures that nobody has accepted yet, the strangest first, to be accepted together."""

from __future__ import annotations

import json
from typing import Annotated, Self
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from camera_registry.console import choosing, reviewing
from camera_registry.console.pages.show import go_to, show
from camera_registry.console.pages.summary import channel_names
from camera_registry.console.reviewing import Key, Sheet, Wanted
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import Filters, PageQuery
from camera_registry.rules.access import Action

_SHOWN = 48
"""Thumbnails on one sheet; each of them is a look that is audited."""
_LISTED = 200
"""Of those that can't be accepted together, so many are named."""
_LEAVE, _SHOW = "leave ", "show "


class ReviewQuery(Filters):
    """``sheet`` counts from 1."""

    area: str = Field("", max_length=200)
    season: bool = False
    sheet: Annotated[int, Field(ge=1, le=100_000)] = 1


class ReviewForm(BaseModel):
    """Each picture that was shown is a field of its own, ``show`` and the JSON of device and channel, and so is each
    box that is ticked: ``leave``. ``only``: accept no others than those that were shown."""

    model_config = ConfigDict(extra="allow", frozen=True)
    area: str = Field("", max_length=200)
    season: bool = False
    reason: str = Field("", max_length=2000)
    only: bool = False

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        self.left_out()
        self.shown()
        return self

    def left_out(self) -> set[Key]:
        return self._named(_LEAVE)

    def shown(self) -> set[Key]:
        return self._named(_SHOW)

    def _named(self, what: str) -> set[Key]:
        names = (name.removeprefix(what) for name in self.model_extra or {} if name.startswith(what))
        return {_KEY.validate_json(name) for name in names}


_KEY: TypeAdapter[Key] = TypeAdapter(Key)


async def page(asked: Asked[ReviewQuery, Nothing]) -> web.StreamResponse:
    query, names = asked.query, asked.deps.board.names
    area, doubt = choosing.filtered(names.areas, query.area, asked.words)
    # What is asked for every few seconds tells how far accepting is, and needs no look at the whole fleet.
    live = asked.request.headers.get("HX-Request") == "true"
    found = Sheet((), ()) if live else await reviewing.sheet(asked, Wanted(area, query.season))
    sheets = max(1, -(-len(found.candidates) // _SHOWN))
    place = min(query.sheet, sheets)
    begin = _SHOWN * (place - 1)
    return show(
        asked,
        "review.html",
        query=query,
        area=area,
        doubt=doubt,
        names=names,
        areas=choosing.areas(names),
        weather=asked.deps.sightings.over(area, asked.deps.now()),
        progress=asked.deps.acceptance.progress,
        passed=[(one, asked.deps.board.get(one.device)) for one in asked.deps.acceptance.progress.passed[:_LISTED]],
        sheet=found,
        doubtful=found.doubtful[:_LISTED],
        at=begin,
        place=place,
        sheets=sheets,
        shown=[
            (one, channel_names(one.entry).get(one.channel, one.channel), json.dumps(one.key))
            for one in found.candidates[begin : begin + _SHOWN]
        ],
    )


async def accept(asked: Asked[PageQuery, ReviewForm]) -> web.StreamResponse:
    form = asked.body
    only = form.shown() if form.only else None
    await reviewing.accept(asked, Wanted(form.area, form.season), form.left_out(), form.reason, only)
    here = {"area": form.area, "season": "yes" if form.season else ""}
    query = urlencode({name: value for name, value in here.items() if value})
    return go_to(f"/baselines?{query}" if query else "/baselines")


async def stop(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    await asked.deps.acceptance.stop()
    return go_to("/baselines")


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "GET", "/baselines", page, Action.SEE_PICTURES, ReviewQuery, Nothing),
    Route(Surface.PAGE, "POST", "/baselines", accept, Action.ACCEPT, PageQuery, ReviewForm),
    Route(Surface.PAGE, "POST", "/baselines/stop", stop, Action.ACCEPT, PageQuery, Nothing),
)
