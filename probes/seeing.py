"""Has a picture measured that a probe has come by: by itself, and against what the camera is known to look like."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from camera_registry.rules.pictures import outlines
from probes.base import Context, References, Registered


async def see(picture: bytes, options: Mapping[str, object], context: Context, codec: str = "JPEG") -> None:
    """Leave in ``context`` the facts ``picture`` and ``sight`` (``probes.picture.examination``, with the times of the
    references and, as ``baselines``, the version of what is accepted and masked) and the evidence thumbnail. Raises
    ProbeError.

    Options: ``masks`` (as the register writes them) are what nobody may see; ``osd`` says where a clock is burnt in
    ("box" and "format" as the register writes them, "zone" that it shows). The fact ``masks`` says what was masked.
    Without references at hand only the plain measures are taken; without anybody who measures, none. The device is left
    to others: it has nothing to do with how long that takes.
    """
    tools = context.tools
    if tools.pictures is None:
        return
    context.caller.leave()
    masks = options.get("masks")
    texts = [str(text) for text in masks] if isinstance(masks, list | tuple) else []
    context.facts["masks"] = texts
    if tools.references is None:
        known, remaining = Registered(_outlines(texts)), context.remaining()
        context.facts["picture"], context.picture = await tools.pictures.measure(picture, remaining, codec, known)
        return
    there = await tools.references(context.device, context.channel)
    known, remaining = _registered(texts, options.get("osd"), there, tools.now()), context.remaining()
    found, thumbnail = await tools.pictures.compare(picture, there.pictures, remaining, codec, known)
    told = dict(found)
    context.facts["picture"], context.picture = told.pop("picture"), thumbnail
    context.facts["sight"] = {
        **told,
        # Behind other masks it is another view, as if others were accepted.
        "baselines": " ".join((there.version, *texts)),
        "reference_times": [at.isoformat() for at in there.times],
    }


def _registered(masks: list[str], osd: object, there: References, now: datetime) -> Registered:
    """What the register says of the picture, with the times that its clock should show."""
    hidden, blind = _outlines(masks), _outlines([text for text in there.masks if text not in masks])
    if not isinstance(osd, Mapping):
        return Registered(hidden, blind)
    zone = outlines.zone(str(osd["zone"]))
    # A clock has no zone: it and its times are the camera's local time.
    times = [at.astimezone(zone).replace(tzinfo=None).isoformat() for at in (now, *there.times)]
    return Registered(hidden, blind, {"box": outlines.box(str(osd["box"])), "format": osd["format"]}, times)


def _outlines(texts: list[str]) -> list[outlines.Outline]:
    return [outlines.outline(text) for text in texts]
