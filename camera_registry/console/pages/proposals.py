"""The page of proposals: what searches of the device networks found, and the forms by which people decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from camera_registry.console import choosing, deciding
from camera_registry.console.api import questions
from camera_registry.console.cursor import cut
from camera_registry.console.pages.show import go_to, show
from camera_registry.console.problems import Problem
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import Before, Filters, PageQuery
from camera_registry.model.device import Kind, Life
from camera_registry.model.discovery import Proposal, ProposalKind, ProposalState
from camera_registry.model.register import Item
from camera_registry.rules import acceptance
from camera_registry.rules.access import Action
from camera_registry.store import proposals, register
from camera_registry.store.proposals import StoredProposal

_ROWS = 30
_TOLD = ("manufacturer", "model", "serial", "mac", "firmware", "onvif_port", "rtsp_port", "http_port")
"""Fields of the device file as a proposal shows them."""


class ProposalsQuery(Filters):
    """Which proposals are shown."""

    state: ProposalState = ProposalState.OPEN
    after: Before = None
    accepted: str = Field("", max_length=200)
    """The device that has just been taken into the register."""


@dataclass(frozen=True, slots=True)
class Line:
    """One fact of a proposal: the field, what the register says (empty: not asked) and what was found."""

    field: str
    before: str
    found: str


async def page(asked: Asked[ProposalsQuery, Nothing]) -> web.StreamResponse:
    query = asked.query
    found = await asked.deps.store.read(
        proposals.page,
        state=query.state,
        before_id=query.after,
        limit=_ROWS + 1,
    )
    shown, following = cut(found, _ROWS)
    # The register has it at once, the board a moment later.
    taken = await asked.deps.store.read(register.get, "device", query.accepted) if query.accepted else None
    return _shown(
        asked,
        query,
        shown,
        accepted=taken.item if taken else None,
        following=following,
    )


def _shown(
    asked: Asked[Any, Any],
    query: ProposalsQuery,
    shown: Sequence[StoredProposal],
    *,
    following: int | None = None,
    accepted: Item | None = None,
    problem: Problem | None = None,
    chosen: Mapping[str, str] | None = None,
) -> web.Response:
    """The page. ``problem``: why what somebody ``chosen`` for the only proposal shown can't be."""
    deps = asked.deps
    return show(
        asked,
        "proposals.html",
        HTTPStatus.OK if problem is None else problem.status,
        query=query,
        problem=problem,
        accepted=accepted,
        progress=deps.discovery.progress,
        networks=deps.settings().devices.networks,
        proposals=shown,
        lines=lines,
        suggested=lambda one: {"area": "", "life": Life.ACTIVE.value, **acceptance.row(one), **(chosen or {})},
        next=following,
        names={one.proposal.device: _name(asked, one) for one in shown},
        areas=choosing.areas(deps.board.names),
        states=ProposalState,
        kinds=Kind,
        lives=Life,
    )


def lines(proposal: Proposal) -> Iterator[Line]:
    """What there is to compare, field by field."""
    before, said = proposal.evidence_of("before"), proposal.evidence_of("said")
    if proposal.kind is not ProposalKind.REPLACED:
        yield Line("host", _text(before, "host"), proposal.address)
    for name in _TOLD:
        found = _text(said, name) or (_text(said, "hardware") if name == "model" else "")
        old = _text(before, name)
        if found or old:
            yield Line(name, old, found)


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value)


def _name(asked: Asked[Any, Any], one: StoredProposal) -> str:
    entry = asked.deps.board.get(one.proposal.device)
    return entry.device.name if entry is not None else ""


async def accept(asked: Asked[PageQuery, questions.AcceptBody]) -> web.StreamResponse:
    chosen = asked.body.chosen()
    try:
        device = await deciding.accept(asked, chosen)
    except Problem as problem:
        kept = await deciding.stored(asked)
        return _shown(asked, ProposalsQuery(), [kept], problem=problem, chosen=chosen)
    return go_to(f"/proposals?accepted={quote(device, safe='')}")


async def reject(asked: Asked[PageQuery, questions.RejectBody]) -> web.StreamResponse:
    await deciding.reject(asked, asked.body.reason)
    return go_to("/proposals")


async def search(asked: Asked[PageQuery, questions.SearchBody]) -> web.StreamResponse:
    await deciding.search(asked, resume=asked.body.resume)
    return go_to("/proposals")


async def stop(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    await deciding.stop(asked)
    return go_to("/proposals")


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "GET", "/proposals", page, Action.SEE, ProposalsQuery, Nothing),
    Route(Surface.PAGE, "POST", "/proposals/{id}/accept", accept, Action.DISCOVER, PageQuery, questions.AcceptBody),
    Route(Surface.PAGE, "POST", "/proposals/{id}/reject", reject, Action.DISCOVER, PageQuery, questions.RejectBody),
    Route(Surface.PAGE, "POST", "/discovery", search, Action.DISCOVER, PageQuery, questions.SearchBody),
    Route(Surface.PAGE, "POST", "/discovery/stop", stop, Action.DISCOVER, PageQuery, Nothing),
)
