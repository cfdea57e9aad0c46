"""What people do to incidents and plan as maintenance, for the API and the pages alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from camera_registry.console.found import number
from camera_registry.console.problems import Problem, not_found
from camera_registry.console.routing import Asked
from camera_registry.model.incident import Acknowledgement, Incident, IncidentChange
from camera_registry.model.maintenance import Cover, Window
from camera_registry.rules import maintenance
from camera_registry.rules.incidents import edits
from camera_registry.store import incidents, windows
from camera_registry.store.errors import Outdated

_Ask = Asked[Any, Any]


async def find(asked: _Ask) -> Incident:
    """The incident that the path names, as it stands now. Raises Problem."""
    id = number(asked, "incident")
    found = asked.deps.board.incidents.get(id) or await asked.deps.store.read(incidents.get, id)
    if found is None:
        raise not_found("incident", id)
    return found


async def acknowledge(asked: _Ask, expected: int | None, lasts: timedelta | None, note: str, *, sticky: bool) -> None:
    """Note that whoever asks has seen it. Raises Problem, Outdated."""
    now = asked.deps.now()
    seen = Acknowledgement(asked.user.name, now, None if lasts is None else now + lasts, sticky, note)
    await _change(asked, expected, lambda incident: edits.acknowledge(incident, seen))


async def unacknowledge(asked: _Ask, expected: int | None) -> None:
    """Take an acknowledgement back. Raises Problem, Outdated."""
    now = asked.deps.now()
    await _change(asked, expected, lambda incident: edits.unacknowledge(incident, asked.user.name, now))


async def assign(asked: _Ask, expected: int | None, to: str) -> None:
    """Say who looks after it. Raises Problem, Outdated."""
    now = asked.deps.now()
    await _change(asked, expected, lambda incident: edits.assign(incident, to, asked.user.name, now))


async def note(asked: _Ask, text: str) -> None:
    """Write something into its time line, be it open or over. Raises Problem."""
    incident = await find(asked)
    step = edits.note(incident, text, asked.user.name, asked.deps.now())
    if incident.open:
        await _change(asked, None, lambda now: replace(step, incident=now))
    else:
        await asked.deps.remark(step)


async def _change(asked: _Ask, expected: int | None, change: Callable[[Incident], IncidentChange]) -> None:
    id = number(asked, "incident")

    def made(incident: Incident) -> IncidentChange:
        if expected is not None and incident.version != expected:
            raise Outdated("outdated", record="incident", id=id, now=incident.version, seen=expected)
        return change(incident)

    if await asked.deps.edit_incident(id, made) is None:
        await find(asked)
        raise Problem(HTTPStatus.CONFLICT, "incident_over", id=id)


async def muted(asked: _Ask, found: Sequence[Window]) -> Mapping[int, int]:
    """How many devices in service each of these windows keeps quiet, by its number; those that are over are left out.
    Of a large fleet this takes milliseconds for each, which the loop has better use for."""
    now, board = asked.deps.now(), asked.deps.board
    coming = [one for one in found if not maintenance.over(one, now)]
    devices = [entry.device for entry in board]
    return await asyncio.to_thread(maintenance.muted, coming, devices, board.names.area_parents) if coming else {}


def check(asked: _Ask, window: Window) -> None:
    """Raises Problem for a maintenance window that means nothing."""
    flaw = maintenance.flaw(window)
    if flaw:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "window", why=asked.words(f"window_flaw.{flaw}"))
    if unknown := strangers(asked, window.cover):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "window", why=unknown)


def strangers(asked: _Ask, cover: Cover) -> str:
    """What is to be covered and is not registered, in words; empty: all is."""
    board = asked.deps.board
    unknown = maintenance.strangers(cover, lambda id: board.get(id) is not None, lambda id: id in board.names.areas)
    return asked.words("window_flaw.strangers", names=", ".join(unknown)) if unknown else ""


async def plan(asked: _Ask, window: Window) -> Window:
    """Keep a maintenance window. Raises Problem."""
    check(asked, window)
    kept = await asked.deps.store.write(windows.create, window)
    await asked.deps.changed()
    return kept


async def cancel(asked: _Ask) -> Window:
    """Call a maintenance window off, or end it now. Raises Problem."""
    id = number(asked, "window")
    window = await asked.deps.store.write(windows.cancel, id, author=asked.user.name, at=asked.deps.now())
    if window is None:
        raise not_found("window", id)
    await asked.deps.changed()
    return window
