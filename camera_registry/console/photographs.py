"""Photographs of work orders: written anew before they are kept, and each look at one in the audit trail before it is
shown."""

from __future__ import annotations

import asyncio
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from aiohttp import web

from camera_registry.console import identity
from camera_registry.console.deps import Renew
from camera_registry.console.found import number
from camera_registry.console.problems import Problem, not_found
from camera_registry.console.routing import Asked
from camera_registry.console.snapshots import PICTURES, PictureKind
from camera_registry.model.attachment import Attachment, AttachmentKind
from camera_registry.model.incident import Scope
from camera_registry.model.observation import FailureKind
from camera_registry.model.work_order import WorkOrder
from camera_registry.rules.access import Action, authorize
from camera_registry.store import attachments, audit, masking
from camera_registry.store.errors import Refused
from camera_registry.store.pictures import Picture, Proof, Proofs
from probes.base import ProbeError
from probes.picture.desk import Measured

_Ask = Asked[Any, Any]


class OrderPicture(StrEnum):
    """Pictures that the camera itself took, as far as an order needs them."""

    LAST_GOOD = "last_good"
    """The last good one before the fault, of a channel, while the order is open."""
    BEFORE = "before"
    """The one that shows the fault."""
    AFTER = "after"
    """The first good one after it was mended."""


_CHANNELS = 4
"""Of a recorder, so many are pictured."""
_SECONDS = 20.0
"""For one photograph: a person waits for it, and the process may have others before it."""


async def keep(asked: _Ask, order: WorkOrder, kind: AttachmentKind) -> list[Attachment]:
    """Keep what was sent. One that was kept before is not kept twice. Raises Problem, Denied."""
    authorize(asked.user, Action.WORK, order)
    deps = asked.deps
    limits = deps.settings().photographs
    kept: list[Attachment] = []
    for given in asked.photographs:
        facts, jpeg = await _renewed(deps.renew, given, limits.longest_side)
        sha256 = await asyncio.to_thread(deps.photographs.save, order.id, jpeg)
        width, height = facts["width"], facts["height"]
        assert isinstance(width, int)
        assert isinstance(height, int)
        one = Attachment(0, order.id, kind, asked.user.name, deps.now(), len(jpeg), width, height, sha256)
        try:
            kept.append(await deps.store.write(attachments.add, one, limits.per_order))
        except Refused as error:
            raise Problem(HTTPStatus.CONFLICT, "too_many_photographs", most=limits.per_order) from error
    return kept


async def _renewed(renew: Renew, given: bytes, side: int) -> Measured:
    try:
        return await renew(given, side, _SECONDS)
    except ProbeError as error:
        if error.kind is FailureKind.UNDECODABLE:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "no_photograph", why=error.detail) from error
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", headers={"Retry-After": "10"}, why=error.detail
        ) from error


async def look(asked: _Ask, order: WorkOrder) -> web.Response:
    """The photograph that the path names, for whoever may see it. Raises Problem, Denied, Unavailable."""
    authorize(asked.user, Action.SEE_PHOTOGRAPHS, order)
    deps, id = asked.deps, number(asked, "photograph", "attachment")
    known = await deps.store.read(attachments.get, order.id, id)
    if known is None:
        raise not_found("photograph", id)
    jpeg = await asyncio.to_thread(deps.photographs.read, order.id, known.sha256)
    if jpeg is None:
        raise Problem(HTTPStatus.GONE, "photograph_gone", id=id)
    detail = {"attachment": id, "sha256": known.sha256, "address": identity.address(asked.request)}
    about = f"order/{order.id}"
    await deps.store.write(audit.append, asked.user.name, "order.attachment.view", about, detail, deps.now())
    return _picture(jpeg, f"order-{order.id}-{id}.jpg")


async def look_at_device(asked: _Ask, order: WorkOrder, shot: OrderPicture, channel: str) -> web.Response:
    """A picture of the device that the order is about. Raises Problem, Denied, Unavailable."""
    authorize(asked.user, Action.SEE_PHOTOGRAPHS, order)
    deps, user, address = asked.deps, asked.user.name, identity.address(asked.request)
    if shot is OrderPicture.LAST_GOOD:
        found = None
        if channel in await last_good(asked, order):
            kind = PictureKind.LAST_GOOD
            look_at = asked.request.app[PICTURES].look
            found = await look_at(order.about, channel, kind, user=user, address=address, at=deps.now())
    else:
        found = await asyncio.to_thread(_proof, deps.proofs, order, shot)
        if found is not None and await deps.store.read(masking.owes, order.about):
            found = None
        if found is not None:
            detail = {"kind": shot.value, "taken": found.at.isoformat(), "address": address}
            await deps.store.write(audit.append, user, "order.picture.view", f"order/{order.id}", detail, deps.now())
    if found is None:
        raise not_found("snapshot", order.about)
    return _picture(found.jpeg, f"order-{order.id}-{shot.value}.jpg")


async def last_good(asked: _Ask, order: WorkOrder) -> dict[str, datetime]:
    """The channels concerned of which the last good picture shows how it was before the fault, with when it was taken.
    None once the order is over: whoever worked on a device need not see for ever what it sees."""
    if order.scope is not Scope.DEVICE or order.over:
        return {}
    entry = asked.deps.board.get(order.about)
    channels = sorted({one.channel for one in order.symptoms if one.device == order.about and one.channel})
    channels = channels or ([channel.id for channel in entry.channels] if entry else []) or [""]
    times = await asked.request.app[PICTURES].times(order.about, channels[:_CHANNELS])
    kept = ((channel, times[channel].get(PictureKind.LAST_GOOD)) for channel in times)
    return {channel: at for channel, at in kept if at is not None and at < order.opened_at}


def taken(proofs: Proofs | None, order: WorkOrder, shot: OrderPicture) -> datetime | None:
    """When the picture before or after was taken, if it is kept. Blocks for a disk access."""
    found = _proof(proofs, order, shot)
    return None if found is None else found.at


def _proof(proofs: Proofs | None, order: WorkOrder, shot: OrderPicture) -> Picture | None:
    return proofs.show(order.id, order.about, Proof(shot.value)) if proofs else None


def _picture(jpeg: bytes, name: str) -> web.Response:
    """A JPEG that a browser shows and nothing else."""
    return web.Response(
        body=jpeg, content_type="image/jpeg", headers={"Content-Disposition": f'inline; filename="{name}"'}
    )
