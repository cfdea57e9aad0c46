"""The page of reports: a month picker, what is being made and how far it is, and the files."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field

from camera_registry.console import choosing, reporting
from camera_registry.console.pages.show import go_to, show
from camera_registry.console.reporting import REPORTING
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import Form, PageQuery
from camera_registry.rules.access import Action
from camera_registry.rules.availability import name_of
from camera_registry.rules.coverage.month import preceding
from camera_registry.store import freezes
from exporters.report.catalog import MEDIA
from exporters.report.order import Kind, Order


class ReportForm(Form):
    """Which report, of which month."""

    report: Kind
    month: str = Field("", max_length=10)
    area: str = Field("", max_length=200)
    contractor: str = Field("", max_length=200)


async def listed(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    jobs = list(reversed(asked.request.app[REPORTING].jobs.values()))
    zone = asked.deps.zone()
    frozen = await asked.deps.store.read(freezes.every)
    named = [(one, name_of(one.begins, one.ends, ZoneInfo(one.zone) if one.zone else zone)) for one in frozen]
    names = asked.deps.board.names
    return show(
        asked,
        "reports.html",
        jobs=[(job, job.order.named(zone.key)) for job in jobs],
        running=any(not job.over for job in jobs),
        kinds=Kind,
        names=names,
        areas=choosing.areas(names),
        contractors=choosing.contractors(names),
        formats=list(MEDIA),
        month=preceding(f"{asked.deps.now().astimezone(zone):%Y-%m}"),
        frozen=named,
        done={(one.report, period) for one, period in named},
    )


async def make(asked: Asked[PageQuery, ReportForm]) -> web.StreamResponse:
    form, names = asked.body, asked.deps.board.names
    area, contractor = choosing.meant(names.areas, form.area), choosing.meant(names.contractors, form.contractor)
    await reporting.begin(asked, Order(form.report, form.month, area=area, contractor=contractor))
    return go_to("/reports")


async def cancel(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    reporting.cancel(asked)
    return go_to("/reports")


async def freeze(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    await reporting.freeze(asked)
    return go_to("/reports")


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "GET", "/reports", listed, Action.REPORT, PageQuery, Nothing),
    Route(Surface.PAGE, "POST", "/reports", make, Action.REPORT, PageQuery, ReportForm),
    Route(Surface.PAGE, "GET", "/reports/{id}/{format}", reporting.file, Action.REPORT, PageQuery, Nothing),
    Route(Surface.PAGE, "POST", "/reports/{id}/cancel", cancel, Action.REPORT, PageQuery, Nothing),
    Route(Surface.PAGE, "POST", "/reports/{id}/freeze", freeze, Action.FREEZE, PageQuery, Nothing),
)
