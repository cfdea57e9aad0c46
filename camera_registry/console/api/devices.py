"""Devices with their health: counts, lists, one device, its pictures and its past."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp import web

from camera_registry.board import BoardEntry
from camera_registry.console import identity
from camera_registry.console.api import answers, bodies, questions
from camera_registry.console.api.route import get
from camera_registry.console.cursor import from_cursor, to_cursor
from camera_registry.console.found import on_board
from camera_registry.console.problems import not_found
from camera_registry.console.reader import READER, Filter
from camera_registry.console.routing import AnyRoute, Asked, Nothing
from camera_registry.console.snapshots import PICTURES
from camera_registry.model.device import Channel, Device
from camera_registry.rules.access import Action
from camera_registry.store import health, recordings, register


async def status(asked: Asked[Nothing, Nothing]) -> answers.StatusAnswer:
    seen = asked.request.app[READER].overview()
    return answers.StatusAnswer(
        revision=seen.revision,
        in_service=seen.in_service,
        statuses=dict(seen.statuses),
        causes=dict(seen.causes),
        kinds=dict(seen.kinds),
        out_of_service=dict(seen.out_of_service),
    )


async def listed(asked: Asked[questions.DevicesQuestion, Nothing]) -> answers.Devices:
    query = asked.query
    wanted = Filter(
        query.q,
        query.status,
        query.area,
        query.kind,
        query.cause,
        query.life,
        query.site,
        query.contractor,
        query.parent,
    )
    found = await asked.request.app[READER].select(wanted, query.order, from_cursor(query.cursor), query.limit)
    return answers.Devices(
        items=[answers.DeviceSummary.of(entry) for entry in found.entries],
        next=to_cursor(found.after) or None,
        total=found.total,
    )


async def one(asked: Asked[Nothing, Nothing]) -> answers.DeviceAnswer:
    return await whole(asked, asked.item())


async def whole(asked: Asked[Any, Any], device: str) -> answers.DeviceAnswer:
    """A device with its file and version; sets the ETag. Raises Problem."""
    stored = await asked.deps.store.read(register.get, "device", device)
    if stored is None or not isinstance(stored.item, Device):
        raise not_found("device", device)
    # Right after an edit the board may still hold the file as it was.
    entry = replace(asked.deps.board.get(device) or BoardEntry(stored.item), device=stored.item)
    asked.headers["ETag"] = f'"{stored.version}"'
    channels: list[Channel] = list(entry.channels)
    return answers.DeviceAnswer.whole(
        entry, bodies.as_json(stored.item), [bodies.as_json(channel) for channel in channels], stored.version
    )


async def flips(asked: Asked[questions.FlipsQuestion, Nothing]) -> answers.Listed[answers.FlipAnswer]:
    query = asked.query
    found = await asked.deps.store.read(
        health.flips,
        device=query.device or None,
        area=query.area or None,
        since=query.since,
        until=query.until,
        before_id=query.before,
        limit=query.limit + 1,
    )
    return answers.page(found, query.limit, answers.FlipAnswer.of)


async def device_flips(asked: Asked[questions.PastQuestion, Nothing]) -> answers.Listed[answers.FlipAnswer]:
    query = asked.query
    on_board(asked.deps.board, asked.item())
    found = await asked.deps.store.read(
        health.flips,
        device=asked.item(),
        since=query.since,
        until=query.until,
        before_id=query.before,
        limit=query.limit + 1,
    )
    return answers.page(found, query.limit, answers.FlipAnswer.of)


async def recorded(asked: Asked[Nothing, Nothing]) -> answers.RecordingsAnswer:
    id = on_board(asked.deps.board, asked.item()).device.id
    found = await asked.deps.store.read(recordings.load, [id])
    why = await asked.deps.store.read(recordings.not_computable, id)
    return answers.RecordingsAnswer.of(found, why.get(id))


async def changes(asked: Asked[questions.NewestQuestion, Nothing]) -> answers.Listed[answers.ChangeAnswer]:
    query = asked.query
    found = await asked.deps.store.read(
        register.changes_of,
        "device",
        asked.item(),
        before_id=query.before,
        limit=query.limit + 1,
    )
    return answers.page(found, query.limit, lambda kept: answers.ChangeAnswer.of(kept.change))


async def snapshot(asked: Asked[questions.SnapshotQuestion, Nothing]) -> web.StreamResponse:
    """The picture itself; when it was taken is in Last-Modified. Looking at it is written into the audit trail."""
    entry = on_board(asked.deps.board, asked.item())
    channel = asked.query.channel or (entry.channels[0].id if len(entry.channels) == 1 else "")
    picture = await asked.request.app[PICTURES].look(
        entry.device.id,
        channel,
        asked.query.kind,
        user=asked.user.name,
        address=identity.address(asked.request),
        at=asked.deps.now(),
    )
    if picture is None:
        raise not_found("snapshot", entry.device.id)
    response = web.Response(body=picture.jpeg, content_type="image/jpeg")
    response.last_modified = picture.at
    return response


ROUTES: tuple[AnyRoute, ...] = (
    get("/status", status, Action.SEE, Nothing, answers.StatusAnswer, "The fleet in numbers"),
    get("/devices", listed, Action.SEE, questions.DevicesQuestion, answers.Devices, "Devices with their health"),
    get("/devices/{id}", one, Action.SEE, Nothing, answers.DeviceAnswer, "One device"),
    get(
        "/devices/{id}/flips",
        device_flips,
        Action.SEE,
        questions.PastQuestion,
        answers.Listed[answers.FlipAnswer],
        "Confirmed changes of state of one device, newest first",
    ),
    get(
        "/devices/{id}/recordings",
        recorded,
        Action.SEE,
        Nothing,
        answers.RecordingsAnswer,
        "From when until when each recording of a device is known, and what it lacks",
    ),
    get(
        "/devices/{id}/changes",
        changes,
        Action.SEE_CHANGES,
        questions.NewestQuestion,
        answers.Listed[answers.ChangeAnswer],
        "Edits of one device's file, newest first",
    ),
    get(
        "/devices/{id}/snapshot",
        snapshot,
        Action.SEE_PICTURES,
        questions.SnapshotQuestion,
        None,
        "A kept picture (JPEG); each look is audited",
    ),
    get(
        "/flips",
        flips,
        Action.SEE,
        questions.FlipsQuestion,
        answers.Listed[answers.FlipAnswer],
        "Confirmed changes of state, newest first",
    ),
)
