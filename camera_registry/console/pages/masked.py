"""What is registered of a channel's picture, on the device page: privacy masks, burnt-in clock, whether it may move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web
from pydantic import Field, ValidationError

from camera_registry.board import BoardEntry
from camera_registry.console.api import bodies
from camera_registry.console.found import on_board
from camera_registry.console.pages.seen import CHANNELS_SHOWN
from camera_registry.console.pages.show import go_to_device
from camera_registry.console.problems import invalid, not_found
from camera_registry.console.routing import AnyRoute, Asked, Route, Surface
from camera_registry.console.schemas import PageQuery, VersionForm
from camera_registry.model.device import Channel
from camera_registry.rules.access import Action, may
from camera_registry.rules.inventory.cells import apart
from camera_registry.rules.pictures import outlines
from camera_registry.store import register

_ANSWERS = {"": None, "yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Outlined:
    """A channel with the version that an edit is made from. ``masks`` and ``clock`` are the points of SVG polygons in
    hundredths of the picture."""

    channel: Channel
    version: int
    masks: Sequence[str]
    clock: str


class PictureForm(VersionForm):
    """All that is registered of one channel's picture; what is empty is cleared."""

    channel: str = Field(max_length=200)
    masks: str = Field("", max_length=20_000)
    osd_box: str = Field("", max_length=200)
    osd_format: str = Field("", max_length=200)
    osd_zone: str = Field("", max_length=200)
    may_move: Literal["", "yes", "no"] = ""


async def outlined(asked: Asked[Any, Any], entry: BoardEntry) -> Sequence[Outlined]:
    """What is registered of the pictures of a device's channels, for those who may see them."""
    if not may(asked.user, Action.SEE_PICTURES):
        return ()
    found = []
    for one in entry.channels[:CHANNELS_SHOWN]:
        stored = await asked.deps.store.read(register.get, "channel", one.id)
        if stored is not None and isinstance(channel := stored.item, Channel):
            clock = _points(channel.osd_box) if channel.osd_box else ""
            found.append(Outlined(channel, stored.version, [_points(mask) for mask in channel.masks], clock))
    return found


def _points(text: str) -> str:
    return " ".join(f"{100 * x:g},{100 * y:g}" for x, y in outlines.outline(text))


async def put(asked: Asked[PageQuery, PictureForm]) -> web.StreamResponse:
    """Register it. Raises Problem, Outdated, Unavailable."""
    form, deps = asked.body, asked.deps
    entry = on_board(deps.board, asked.item())
    if form.channel not in [one.id for one in entry.channels]:
        raise not_found("channel", form.channel)
    stored = await deps.store.read(register.get, "channel", form.channel)
    if stored is None:
        raise not_found("channel", form.channel)
    said = {
        "masks": apart(form.masks),
        **{name: getattr(form, name).strip() for name in ("osd_box", "osd_format", "osd_zone")},
        "may_move": _ANSWERS[form.may_move],
    }
    try:
        edited = bodies.patched("channel", stored.item, bodies.patch("channel").model_validate(said))
    except ValidationError as error:
        raise invalid(error, "body", asked.words) from error
    expected = {("channel", form.channel): form.version}
    await deps.store.write(register.apply, [edited], author=asked.user.name, at=deps.now(), expected=expected)
    await deps.changed()
    return go_to_device(entry.device.id, "#masked")


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.PAGE, "POST", "/devices/{id}/picture", put, Action.EDIT, PageQuery, PictureForm),
)
