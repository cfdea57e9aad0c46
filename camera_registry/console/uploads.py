"""Files on their way in: photographs and inventories, from a form or as the body itself, read within limits; nothing
here looks inside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from camera_registry.console.problems import Problem
from camera_registry.settings_orders import Photographs

_PHOTOGRAPH = "image/jpeg"
_FORM = "multipart/form-data"
TYPES = (_PHOTOGRAPH, _FORM)
"""The media types of photographs."""

_AT_ONCE = 6
"""Photographs in one form."""
_FIELDS = 32
_FIELD_BYTES = 16 * 1024
_CHUNK = 65_536
_FILE_BYTES = 32 * 1024 * 1024
"""Of an inventory: some ten times that of a city district."""


@contextmanager
def well_formed() -> Iterator[None]:
    """Tell whoever sent a form that can't be read so: the library raises nearly anything. Raises Problem."""
    try:
        yield
    except (HttpProcessingError, ValueError, LookupError, AssertionError, RuntimeError) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "bad_request", why="the form can't be read") from error


async def read(request: web.Request, limits: Photographs) -> tuple[dict[str, str], Sequence[bytes]]:
    """The fields and the photographs of a request. A file field left empty is none. Raises Problem."""
    too_large = Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "photograph_too_large", most=f"{limits.max_megabytes:g}")
    if request.content_type == _PHOTOGRAPH:
        return {}, [await _all(request.content.iter_chunked(_CHUNK), limits.max_bytes, too_large)]
    fields: dict[str, str] = {}
    photographs: list[bytes] = []
    with well_formed():
        form = await request.multipart()
        while (part := await form.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise Problem(HTTPStatus.BAD_REQUEST, "bad_request", why="a form inside a form")
            if part.filename is None:
                if len(fields) >= _FIELDS:
                    raise _too_large()
                fields[part.name or ""] = (await _all(_chunks(part), _FIELD_BYTES, _too_large())).decode(
                    errors="replace"
                )
            elif photograph := await _all(_chunks(part), limits.max_bytes, too_large):
                if len(photographs) >= _AT_ONCE:
                    raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_at_once", most=_AT_ONCE)
                photographs.append(photograph)
    return fields, photographs


async def file(request: web.Request) -> bytes:
    """The one file of a request: its body, or the first file of its form. Raises Problem, also where there is none."""
    content = b""
    if not request.content_type.startswith("multipart/"):
        content = await _all(request.content.iter_chunked(_CHUNK), _FILE_BYTES, _too_large())
    else:
        with well_formed():
            form = await request.multipart()
            while not content and (part := await form.next()) is not None:
                if isinstance(part, BodyPartReader) and part.filename:
                    content = await _all(_chunks(part), _FILE_BYTES, _too_large())
    if not content:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "no_file")
    return content


def _too_large() -> Problem:
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(_CHUNK):
        yield chunk


async def _all(chunks: AsyncIterator[bytes], most: int, too_large: Problem) -> bytes:
    content = bytearray()
    async for chunk in chunks:
        content += chunk
        if len(content) > most:
            raise too_large
    return bytes(content)
