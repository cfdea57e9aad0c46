"""The review sheet: pictures that nobody has accepted yet, the strangest first, to be accepted together."""

from __future__ import annotations

import json
from typing import Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, TypeAdapter, model_validator

from camera_registry.console import reviewing
from camera_registry.console.pages.show import go_to, show
from camera_registry.console.pages.summary import channel_names
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import PageQuery
from camera_registry.rules.access import Action

_SHOWN = 48
"""Thumbnails on one sheet; each of them is a look that is audited."""
_LEAVE = "leave "


class ReviewForm(BaseModel):
    """Each box that is ticked is a field of its own: ``leave``, and the JSON of device and channel."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        self.left_out()
        return self

    def left_out(self) -> set[tuple[str, str]]:
        names = (name.removeprefix(_LEAVE) for name in self.model_extra or {} if name.startswith(_LEAVE))
        return {_KEY.validate_json(name) for name in names}


_KEY: TypeAdapter[tuple[str, str]] = TypeAdapter(tuple[str, str])


async def page(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    found = await reviewing.sheet(asked)
    return show(
        asked,
        "review.html",
        progress=asked.deps.acceptance.progress,
        sheet=found,
        shown=[
            (one, channel_names(one.entry).get(one.channel, one.channel), _LEAVE + json.dumps(one.key))
            for one in found.candidates[:_SHOWN]
        ],
    )


async def accept(asked: Asked[PageQuery, ReviewForm]) -> web.StreamResponse:
    await reviewing.accept(asked, asked.body.left_out())
    return go_to("/baselines")


async def stop(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    asked.deps.acceptance.stop()
    return go_to("/baselines")


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "GET", "/baselines", page, Action.SEE_PICTURES, PageQuery, Nothing),
    Route(Surface.PAGE, "POST", "/baselines", accept, Action.ACCEPT, PageQuery, ReviewForm),
    Route(Surface.PAGE, "POST", "/baselines/stop", stop, Action.ACCEPT, PageQuery, Nothing),
)
