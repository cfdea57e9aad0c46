"""Photographs on their way in: read within limits, from a form or as the body itself; nothing here looks inside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus

from aiohttp import BodyPartReader, web

from camera_registry.console.problems import Problem
from camera_registry.settings_orders import Photographs

_PHOTOGRAPH = "image/jpeg"
_FORM = "multipart/form-data"
TYPES = (_PHOTOGRAPH, _FORM)
"""The media types that are read here."""

_AT_ONCE = 6
"""Photographs in one form."""
_FIELDS = 32
_FIELD_BYTES = 16 * 1024
_CHUNK = 65_536


async def read(request: web.Request, limits: Photographs) -> tuple[dict[str, str], Sequence[bytes]]:
    """The fields and the photographs of a request. A file field left empty is none. Raises Problem."""
    if request.content_type == _PHOTOGRAPH:
        return {}, [await _all(request.content.iter_chunked(_CHUNK), limits)]
    fields: dict[str, str] = {}
    photographs: list[bytes] = []
    form = await request.multipart()
    while (part := await form.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise Problem(HTTPStatus.BAD_REQUEST, "bad_request", why="a form inside a form")
        if part.filename is None:
            if len(fields) >= _FIELDS:
                raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
            fields[part.name or ""] = await _text(part)
        elif photograph := await _all(_chunks(part), limits):
            if len(photographs) >= _AT_ONCE:
                raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_at_once", most=_AT_ONCE)
            photographs.append(photograph)
    return fields, photographs


async def _text(part: BodyPartReader) -> str:
    content = bytearray()
    async for chunk in _chunks(part):
        content += chunk
        if len(content) > _FIELD_BYTES:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
    return content.decode("utf-8", "replace")


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(_CHUNK):
        yield chunk


async def _all(chunks: AsyncIterator[bytes], limits: Photographs) -> bytes:
    content = bytearray()
    async for chunk in chunks:
        content += chunk
        if len(content) > limits.max_bytes:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "photograph_too_large", most=f"{limits.max_megabytes:g}")
    return bytes(content)
