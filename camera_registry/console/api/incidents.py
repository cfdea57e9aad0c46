"""Incidents: what is or was wrong, its time line, and what people do about it; and planned maintenance."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from camera_registry.console import handling
from camera_registry.console.api import incident_answers as answers
from camera_registry.console.api.answers import Listed, page
from camera_registry.console.api.incident_questions import (
    AcknowledgeBody,
    AssigneeBody,
    IncidentsQuestion,
    NoteBody,
    WindowBody,
)
from camera_registry.console.api.questions import NewestQuestion
from camera_registry.console.api.route import get, if_match, versioned, write
from camera_registry.console.found import number
from camera_registry.console.problems import not_found
from camera_registry.console.routing import AnyRoute, Asked, Nothing
from camera_registry.model.device import Life
from camera_registry.model.maintenance import Window
from camera_registry.rules.access import Action
from camera_registry.store import incidents, windows
from camera_registry.store.incidents import Wanted


async def listed(asked: Asked[IncidentsQuestion, Nothing]) -> Listed[answers.IncidentAnswer]:
    query = asked.query
    wanted = Wanted(
        query.open,
        query.area,
        query.device,
        query.cause,
        query.severity,
        query.parent,
        query.roots,
        query.since,
        query.until,
    )
    found = await asked.deps.store.read(
        incidents.page, wanted, sorting=query.order, before_id=query.before, limit=query.limit + 1
    )
    now = asked.deps.now()
    return page(found, query.limit, lambda one: answers.IncidentAnswer.of(one, now))


async def one(asked: Asked[Nothing, Nothing]) -> answers.WholeIncident:
    return await _whole(asked)


async def _whole(asked: Asked[Any, Any]) -> answers.WholeIncident:
    incident = await handling.find(asked)
    store = asked.deps.store
    asked.headers["ETag"] = f'"{incident.version}"'
    return answers.WholeIncident.whole(
        incident,
        asked.deps.now(),
        await store.read(incidents.time_line, incident.id),
        await store.read(incidents.affected, incident.id),
        await store.read(incidents.page, Wanted(parent=incident.id), limit=1000),
    )


async def acknowledge(asked: Asked[Nothing, AcknowledgeBody]) -> answers.WholeIncident:
    body = asked.body
    lasts = None if body.lasts is None else timedelta(seconds=body.lasts)
    await handling.acknowledge(asked, if_match(asked.request), lasts, body.note, sticky=body.sticky)
    return await _whole(asked)


async def unacknowledge(asked: Asked[Nothing, Nothing]) -> answers.WholeIncident:
    await handling.unacknowledge(asked, if_match(asked.request))
    return await _whole(asked)


async def assign(asked: Asked[Nothing, AssigneeBody]) -> answers.WholeIncident:
    await handling.assign(asked, if_match(asked.request), asked.body.assignee)
    return await _whole(asked)


async def note(asked: Asked[Nothing, NoteBody]) -> answers.WholeIncident:
    await handling.note(asked, asked.body.text)
    return await _whole(asked)


async def list_windows(asked: Asked[NewestQuestion, Nothing]) -> Listed[answers.WindowAnswer]:
    query = asked.query
    found = await asked.deps.store.read(windows.page, before_id=query.before, limit=query.limit + 1)
    now, muted = asked.deps.now(), await handling.muted(asked, found)
    return page(found, query.limit, lambda kept: answers.WindowAnswer.of(kept, now, muted.get(kept.id)))


async def one_window(asked: Asked[Nothing, Nothing]) -> answers.WindowAnswer:
    id = number(asked, "window")
    found = await asked.deps.store.read(windows.get, id)
    if found is None:
        raise not_found("window", id)
    return await _told(asked, found)


async def plan(asked: Asked[Nothing, WindowBody]) -> answers.WindowAnswer:
    kept = await handling.plan(asked, _wanted(asked))
    asked.headers["Location"] = f"{asked.request.path}/{kept.id}"
    return await _told(asked, kept)


async def preview(asked: Asked[Nothing, WindowBody]) -> answers.MutedAnswer:
    window = _wanted(asked)
    handling.check(asked, window)
    muted = await handling.muted(asked, [window])
    in_service = sum(entry.device.life is Life.ACTIVE for entry in asked.deps.board)
    return answers.MutedAnswer(muted=muted.get(window.id, 0), in_service=in_service)


async def cancel(asked: Asked[Nothing, Nothing]) -> answers.WindowAnswer:
    return await _told(asked, await handling.cancel(asked))


def _wanted(asked: Asked[Nothing, WindowBody]) -> Window:
    return asked.body.window(asked.user.name, asked.deps.now(), asked.deps.settings().time_zone)


async def _told(asked: Asked[Any, Any], window: Window) -> answers.WindowAnswer:
    muted = await handling.muted(asked, [window])
    return answers.WindowAnswer.of(window, asked.deps.now(), muted.get(window.id))


_ONE = "/incidents/{id}"

ROUTES: tuple[AnyRoute, ...] = (
    get(
        "/incidents",
        listed,
        Action.SEE,
        IncidentsQuestion,
        Listed[answers.IncidentAnswer],
        "Incidents, newest or worst first",
    ),
    get(_ONE, one, Action.SEE, Nothing, answers.WholeIncident, "One incident with its time line"),
    versioned(
        write(
            f"PUT {_ONE}/acknowledgement",
            acknowledge,
            Action.HANDLE,
            AcknowledgeBody,
            answers.WholeIncident,
            "Say that an incident was seen",
        )
    ),
    versioned(
        write(
            f"DELETE {_ONE}/acknowledgement",
            unacknowledge,
            Action.HANDLE,
            Nothing,
            answers.WholeIncident,
            "Take an acknowledgement back",
        )
    ),
    versioned(
        write(
            f"PUT {_ONE}/assignee", assign, Action.HANDLE, AssigneeBody, answers.WholeIncident, "Say who looks after it"
        )
    ),
    write(
        f"POST {_ONE}/notes", note, Action.HANDLE, NoteBody, answers.WholeIncident, "Write a note into the time line"
    ),
    get(
        "/windows",
        list_windows,
        Action.SEE,
        NewestQuestion,
        Listed[answers.WindowAnswer],
        "Maintenance windows, newest first",
    ),
    get("/windows/{id}", one_window, Action.SEE, Nothing, answers.WindowAnswer, "One maintenance window"),
    write("POST /windows", plan, Action.PLAN, WindowBody, answers.WindowAnswer, "Plan maintenance"),
    replace(
        write(
            "POST /windows/preview",
            preview,
            Action.PLAN,
            WindowBody,
            answers.MutedAnswer,
            "How many devices a window would keep quiet; nothing is kept",
        ),
        status=HTTPStatus.OK,
    ),
    write(
        "DELETE /windows/{id}",
        cancel,
        Action.PLAN,
        Nothing,
        answers.WindowAnswer,
        "Call a window off, or end it now; it stays to be read",
    ),
)
