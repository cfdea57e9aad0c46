"""What a field offers while somebody types: parts of a page, asked for by the field."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from camera_registry.console import choosing
from camera_registry.console.pages.show import show
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import PageQuery
from camera_registry.rules.access import Action


class ChoiceQuery(PageQuery):
    """What was typed into the field of that name."""

    area: str = Field("", max_length=200)
    areas: str = Field("", max_length=200)
    site: str = Field("", max_length=200)
    contractor: str = Field("", max_length=200)


async def areas(asked: Asked[ChoiceQuery, Nothing]) -> web.StreamResponse:
    return show(
        asked, "choices.html", choices=choosing.areas(asked.deps.board.names, asked.query.area or asked.query.areas)
    )


async def sites(asked: Asked[ChoiceQuery, Nothing]) -> web.StreamResponse:
    return show(asked, "choices.html", choices=choosing.sites(asked.deps.board.names, asked.query.site))


async def contractors(asked: Asked[ChoiceQuery, Nothing]) -> web.StreamResponse:
    return show(asked, "choices.html", choices=choosing.contractors(asked.deps.board.names, asked.query.contractor))


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "GET", "/choices/area", areas, Action.SEE_ORDERS, ChoiceQuery, Nothing),
    Route(Surface.PAGE, "GET", "/choices/site", sites, Action.SEE, ChoiceQuery, Nothing),
    Route(Surface.PAGE, "GET", "/choices/contractor", contractors, Action.SEE, ChoiceQuery, Nothing),
)
