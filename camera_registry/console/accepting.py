"""Saying which pictures show how a view is meant to look, and taking that back: the same over the API and on pages."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any

from camera_registry.board import BoardEntry
from camera_registry.console.found import on_board
from camera_registry.console.problems import Problem, not_found
from camera_registry.console.routing import Asked
from camera_registry.model.baseline import Baseline
from camera_registry.model.health import Cause
from camera_registry.model.incident import Scope
from camera_registry.model.picture import JUDGED
from camera_registry.rules.incidents import edits
from camera_registry.rules.pictures.watching import doubts
from camera_registry.store.baselines import Superseded, Unfit
from camera_registry.store.pictures import PictureKind


def channels(entry: BoardEntry) -> list[str]:
    """Those of which there may be pictures."""
    return [channel.id for channel in entry.channels] or [""]


def in_doubt(entry: BoardEntry, channel: str) -> list[Cause]:
    """What the newest judgement of a channel finds wrong with its picture."""
    found = (cause for run in entry.probes if run.channel == channel for cause in doubts(run.facts))
    return list(dict.fromkeys(found))


async def accept(
    asked: Asked[Any, Any], channel: str, kind: PictureKind, reason: str, taken: datetime | None
) -> Baseline:
    """Accept a kept picture for whoever asks, the one ``taken`` then if that is told; without a ``channel``, that of
    the only one. One in doubt, or kept as a faulty one, needs a reason. Raises Problem."""
    entry = on_board(asked.deps.board, asked.item())
    channel = channel or (entry.channels[0].id if len(entry.channels) == 1 else "")
    if not channel and entry.channels:
        named = asked.words("list.comma").join(channels(entry))
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "which_channel", device=entry.device.id, channels=named)
    if channel not in channels(entry):
        raise not_found("channel", channel)
    found = [] if kind is PictureKind.LAST_GOOD else in_doubt(entry, channel)
    if not reason.strip() and (found or kind is PictureKind.LAST_FAULTY):
        causes = asked.words("list.comma").join(asked.words.name(cause) for cause in found) or "–"
        raise Problem(HTTPStatus.CONFLICT, "doubtful_picture", causes=causes)
    try:
        kept = await asked.deps.gallery.accept(entry.device, channel, kind, reason.strip(), asked.user.name, taken)
    except Superseded as error:
        raise Problem(HTTPStatus.CONFLICT, "other_picture") from error
    except Unfit as error:
        if not str(error):
            raise not_found("snapshot", entry.device.id) from error
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "unfit_picture", why=str(error)) from error
    if kept.reason:
        await _tell_incidents(asked, entry.device.id, f"{asked.words('seen.normal')}: {kept.reason}")
    return kept


async def _tell_incidents(asked: Asked[Any, Any], device: str, text: str) -> None:
    """Write into what is open for the device's pictures why it will soon be over: nobody has mended anything."""
    for incident in list(asked.deps.board.incidents.values()):
        if (incident.scope, incident.about) == (Scope.DEVICE, device) and incident.cause in JUDGED:
            change = partial(edits.note, text=text, by=asked.user.name, at=asked.deps.now())
            await asked.deps.edit_incident(incident.id, change)


async def take_back(asked: Asked[Any, Any]) -> None:
    """Take back what the path names. Raises Problem."""
    kept = named(asked)
    if await asked.deps.gallery.take_back(kept.id, asked.user.name) is None:
        raise not_found("baseline", kept.id)


def named(asked: Asked[Any, Any]) -> Baseline:
    """The accepted picture that the path names, of the device that it names. Raises Problem."""
    entry, number = on_board(asked.deps.board, asked.item()), asked.item("number")
    for channel in channels(entry):
        for kept in asked.deps.gallery.of(entry.device.id, channel):
            if str(kept.id) == number:
                return kept
    raise not_found("baseline", number)
