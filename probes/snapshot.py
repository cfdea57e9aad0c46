"""This file probes a device's still picture: one JPEG over HTTP, checked before anything decodes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from camera_registry.model.observation import Facts, FailureKind, Stage
from camera_registry.model.roster import Target
from probes.base import Context, ProbeError
from probes.http_client import fetch
from probes.seeing import see
from probes.wire import WireError, jpeg
from probes.wire.http import Answer
from probes.wire.onvif import read_address
from probes.wire.text import clean, excerpt

PICTURE_LIMIT = 8 * 1024 * 1024
"""Bytes of a picture."""

_SCHEMES = {"http": 80, "https": 443}


async def probe(target: Target, options: Mapping[str, object], context: Context) -> Facts:
    """Fetch and check one picture. Options: ``path``, or ``snapshot_uri`` as ONVIF told it; ``masks`` and ``osd`` as in
    ``probes.seeing``.

    Facts: ``bytes``, ``width``, ``height``, ``content_type``, ``sha256`` of the bytes, ``progressive``, ``components``;
    ``picture`` holds its measures where the poller can take them.
    """
    port, path, tls = _where(target, options)
    answer = await fetch(context, target, port, path, limit=PICTURE_LIMIT, tls=tls)
    _check_status(answer, path)
    return await _examine(answer, options, context)


def _where(target: Target, options: Mapping[str, object]) -> tuple[int, str, bool]:
    """Port, path and encryption. Only the registered host is ever asked, whatever host an address names."""
    path, uri = options.get("path"), options.get("snapshot_uri")
    if isinstance(path, str) and path:
        return target.web_port("http"), path, target.tls
    if not isinstance(uri, str) or not uri:
        detail = (
            "no address of a still picture is known: register snapshot_path, or poll the device by onvif to learn it"
        )
        raise ProbeError(FailureKind.NO_STREAM, Stage.ADDRESS, detail)
    address = read_address(uri)
    if address is None or address.scheme not in _SCHEMES:
        raise ProbeError(
            FailureKind.NO_STREAM, Stage.ADDRESS, f"the device's picture address is not HTTP: {clean(uri, 80)!r}"
        )
    port = address.port or target.ports.get("http", 0) or _SCHEMES[address.scheme]
    return port, address.path, address.scheme == "https"


def _check_status(answer: Answer, path: str) -> None:
    status, shown = answer.status, clean(path.partition("?")[0], 80)
    said = f"HTTP {status} {answer.head.reason}".strip()
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        kind, detail = FailureKind.PROTOCOL, f"{said}: the device sends us elsewhere, and redirects are not followed"
    elif status == 403:
        kind, detail = FailureKind.AUTH, f"{said}: this user may not see the picture at {shown}; give it the right to"
    elif status in (404, 405, 410, 501):
        kind, detail = FailureKind.NO_STREAM, f"{said}: no picture at {shown}; correct snapshot_path"
    elif status == 503:
        kind, detail = FailureKind.BUSY, f"{said}: the device has no free connection for a picture"
    else:
        kind, detail = FailureKind.PROTOCOL, f"{said} to the request for {shown}"
    raise ProbeError(kind, Stage.ANSWER, detail)


async def _examine(answer: Answer, options: Mapping[str, object], context: Context) -> Facts:
    body, facts = answer.body, context.facts
    content_type = clean(answer.head.get("content-type").partition(";")[0].lower(), 80)
    facts["bytes"] = len(body)
    facts["content_type"] = content_type
    context.step("snapshot.fetched", bytes=len(body), content_type=content_type or "?")
    context.stage = Stage.DECODE
    if not body.startswith(b"\xff\xd8"):
        kind = FailureKind.PROTOCOL if body else FailureKind.UNDECODABLE
        detail = f"no JPEG: {content_type or 'no content type'}, begins with {excerpt(body, 30)!r}" if body else "empty"
        raise ProbeError(kind, Stage.DECODE, f"the picture is {detail}")
    try:
        picture = jpeg.read(body)
    except WireError as error:
        raise ProbeError(FailureKind.UNDECODABLE, Stage.DECODE, str(error)) from error
    facts |= {
        "width": picture.width,
        "height": picture.height,
        "components": picture.components,
        "progressive": picture.progressive,
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    if not picture.complete:
        cut = "" if answer.complete else f" (the device closed after {len(body)} bytes)"
        raise ProbeError(FailureKind.UNDECODABLE, Stage.DECODE, f"the picture ends too early{cut}")
    context.step("snapshot.picture", width=picture.width, height=picture.height)
    await see(body, options, context)
    return facts
