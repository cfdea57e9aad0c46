"""The list of incidents, and the page of one: what it is, whom it affects, what happened since, and what people do."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, Field

from camera_registry.board import Board
from camera_registry.console import choosing, handling, ordering
from camera_registry.console.cursor import cut
from camera_registry.console.found import number
from camera_registry.console.pages.people import called, people
from camera_registry.console.pages.show import go_to, show
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import (
    Before,
    Blank,
    Filters,
    Form,
    OptionalCause,
    OptionalSeverity,
    PageQuery,
    VersionForm,
)
from camera_registry.model.health import Cause
from camera_registry.model.incident import Incident, Severity
from camera_registry.rules.access import Action
from camera_registry.store import incidents
from camera_registry.store.incidents import Wanted
from camera_registry.store.orders import Wanted as OrdersWanted
from camera_registry.store.sorting import Sorting

_ROWS = 60
_BEHIND_SHOWN = 200
_ORDERS = 5
_HOURS = (1, 4, 8, 24, 72)
"""For how long an acknowledgement may be given on the page."""


class IncidentsQuery(Filters):
    """The list. ``which``: open ones, those that are over, or all; ``explained``: also what another one explains.
    ``order`` left out: the worst first where only open ones are shown, else the newest."""

    which: Literal["open", "over", "all"] = "open"
    area: str = Field("", max_length=200)
    cause: OptionalCause = None
    severity: OptionalSeverity = None
    explained: bool = False
    order: Annotated[Literal[Sorting.WORST, Sorting.NEWEST] | None, Blank] = None
    before: Before = None

    @property
    def narrowed(self) -> bool:
        """Whether others are listed than all that are open, each by the one that explains it."""
        return bool(self.model_dump(exclude={*PageQuery.model_fields, "order", "before"}, exclude_defaults=True))

    @property
    def sorting(self) -> Sorting:
        return self.order or (Sorting.WORST if self.which == "open" else Sorting.NEWEST)


class AcknowledgeForm(VersionForm):
    """``hours`` empty: until it is over. A box that is not ticked is not sent."""

    hours: Annotated[Literal[1, 4, 8, 24, 72] | None, BeforeValidator(lambda given: int(given) if given else None)] = (
        None
    )
    sticky: bool = False
    note: str = Field("", max_length=2000)


class AssignForm(VersionForm):
    assignee: str = Field("", max_length=200)


class NoteForm(Form):
    text: str = Field(min_length=1, max_length=2000)


async def listed(asked: Asked[IncidentsQuery, Nothing]) -> web.StreamResponse:
    query, names = asked.query, asked.deps.board.names
    area, doubt = choosing.filtered(names.areas, query.area, asked.words)
    wanted = Wanted(
        open={"open": True, "over": False}.get(query.which),
        area=area,
        cause=query.cause,
        severity=query.severity,
        roots=not query.explained,
    )
    found = await asked.deps.store.read(
        incidents.page, wanted, sorting=query.sorting, before_id=query.before, limit=_ROWS + 1
    )
    shown, following = cut(found, _ROWS)
    return show(
        asked,
        "incidents.html",
        query=query,
        shown=shown,
        next=following,
        open=len(roots(asked.deps.board)),
        sortings=(Sorting.WORST, Sorting.NEWEST),
        names=names,
        doubt=doubt,
        called=called(asked.deps.board, shown),
        areas=choosing.areas(names),
        causes=Cause,
        severities=Severity,
    )


async def one(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    incident = await handling.find(asked)
    store, board, now = asked.deps.store, asked.deps.board, asked.deps.now()
    behind = await store.read(incidents.affected, incident.id)
    return show(
        asked,
        "incident.html",
        incident=incident,
        names=board.names,
        called=called(board, [incident]),
        devices={one.device: board.get(one.device) for one in behind},
        charged=incident.charged(now),
        ended=incident.ended or now,
        steps=await store.read(incidents.time_line, incident.id),
        behind=behind[:_BEHIND_SHOWN],
        more=max(0, len(behind) - _BEHIND_SHOWN),
        still=sum(one.until is None for one in behind),
        children=await store.read(incidents.page, Wanted(parent=incident.id)),
        hours=_HOURS,
        orders=await ordering.listed(asked, OrdersWanted(incident=incident.id), None, _ORDERS),
        sent=await people(asked),
        next_due=ordering.next_due,
    )


def roots(board: Board) -> list[Incident]:
    """The open incidents that no other one explains, the worst and oldest first."""
    unexplained = (one for one in board.incidents.values() if one.parent is None)
    return sorted(unexplained, key=lambda one: (one.severity, one.started, one.id))


async def acknowledge(asked: Asked[PageQuery, AcknowledgeForm]) -> web.StreamResponse:
    form = asked.body
    lasts = None if form.hours is None else timedelta(hours=form.hours)
    await handling.acknowledge(asked, form.version, lasts, form.note, sticky=form.sticky)
    return _back(asked)


async def unacknowledge(asked: Asked[PageQuery, VersionForm]) -> web.StreamResponse:
    await handling.unacknowledge(asked, asked.body.version)
    return _back(asked)


async def assign(asked: Asked[PageQuery, AssignForm]) -> web.StreamResponse:
    await handling.assign(asked, asked.body.version, asked.body.assignee)
    return _back(asked)


async def note(asked: Asked[PageQuery, NoteForm]) -> web.StreamResponse:
    await handling.note(asked, asked.body.text)
    return _back(asked)


def _back(asked: Asked[Any, Any]) -> web.Response:
    return go_to(f"/incidents/{number(asked, 'incident')}")


def _form(path: str, handler: Any, body: type[BaseModel]) -> AnyRoute:
    return Route(Surface.PAGE, "POST", f"/incidents/{{id}}/{path}", handler, Action.HANDLE, PageQuery, body)


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "GET", "/incidents", listed, Action.SEE, IncidentsQuery, Nothing),
    Route(Surface.PAGE, "GET", "/incidents/{id}", one, Action.SEE, PageQuery, Nothing),
    _form("acknowledge", acknowledge, AcknowledgeForm),
    _form("unacknowledge", unacknowledge, VersionForm),
    _form("assign", assign, AssignForm),
    _form("note", note, NoteForm),
)
