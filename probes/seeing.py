"""Has a picture measured that a probe has come by: by itself, and against what the camera is known to look like."""

from __future__ import annotations

from probes.base import Context


async def see(picture: bytes, context: Context, codec: str = "JPEG") -> None:
    """Leave in ``context`` the facts ``picture`` and ``sight`` (``probes.picture.examination``, with the times of the
    references and the version of what is accepted) and the evidence thumbnail. Raises ProbeError.

    Without references at hand only the plain measures are taken; without anybody who measures, none.
    """
    tools = context.tools
    if tools.pictures is None:
        return
    if tools.references is None:
        context.facts["picture"], context.picture = await tools.pictures.measure(picture, context.remaining(), codec)
        return
    known = await tools.references(context.device, context.channel)
    found, thumbnail = await tools.pictures.compare(picture, known.pictures, context.remaining(), codec)
    told = dict(found)
    context.facts["picture"], context.picture = told.pop("picture"), thumbnail
    context.facts["sight"] = {
        **told,
        "baselines": known.version,
        "reference_times": [at.isoformat() for at in known.times],
    }
