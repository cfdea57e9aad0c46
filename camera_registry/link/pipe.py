"""The link between two processes of one machine: messages over a Unix socket, each with its length in front.

A frame is its length and the length of its head (four bytes each, big-endian; the first counts all that follows it),
then the head, a JSON list of the message's kind, its body and the lengths of what is not text, then that. Both ends
greet first: a process that was started anew beside an older one, after an upgrade, must not misunderstand it.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any, Self

import orjson

VERSION = 1
"""Grows with each change after which the ends of two versions would misunderstand each other."""

MOST = 64 * 2**20
"""Bytes of one frame. Whoever claims more is broken."""

GREETING = "hello"

_LENGTH = 4
_BUFFER = 2**20


class Broken(Exception):
    """The other end says what makes no sense, or speaks another version."""


@dataclass(frozen=True, slots=True)
class Message:
    """``kind`` says what ``body`` (JSON) is about; ``blobs`` are the pictures it speaks of, in order."""

    kind: str
    body: Any
    blobs: Sequence[bytes] = ()


class Pipe:
    """One end. Any number may send; one receives."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, sock: socket.socket) -> Self:
        """An end over a connected Unix socket, which it owns from now on."""
        return cls(*await asyncio.open_unix_connection(sock=sock, limit=_BUFFER))

    async def greet(self) -> None:
        """Tell the other end our version and hear its own. Raises Broken, or ConnectionError where it is gone."""
        await self.send(GREETING, VERSION)
        said = await self.receive()
        if said is None:
            raise ConnectionResetError("the other end closed without a word")
        if said.kind != GREETING or said.body != VERSION:
            raise Broken(f"the other end speaks another version ({said.body!r}, not {VERSION}); restart the service")

    async def send(self, kind: str, body: object = None, blobs: Sequence[bytes] = ()) -> None:
        """Send one message; waits while the other end is far behind. Raises ConnectionError, or ValueError for one that
        is too long."""
        head = _dump([kind, body, [len(blob) for blob in blobs]])
        length = _LENGTH + len(head) + sum(map(len, blobs))
        if length > MOST:
            raise ValueError(f"a message of {length} bytes ({kind})")
        self._writer.write(
            b"".join((length.to_bytes(_LENGTH, "big"), len(head).to_bytes(_LENGTH, "big"), head, *blobs))
        )
        await self._writer.drain()

    async def receive(self) -> Message | None:
        """The next message; None when the other end has closed, be it in the middle of one. Raises Broken."""
        try:
            length = int.from_bytes(await self._reader.readexactly(_LENGTH), "big")
            if length > MOST:
                raise Broken(f"a frame of {length} bytes")
            return _message(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    def close(self) -> None:
        """Let go of the other end, which is told by that."""
        self._writer.close()


def _message(frame: bytes) -> Message:
    start = _LENGTH + int.from_bytes(frame[:_LENGTH], "big")
    try:
        kind, body, lengths = _load(frame[_LENGTH:start])
        blobs: list[bytes] = []
        for length in lengths:
            blobs.append(frame[start : start + length])
            start += length
    except (TypeError, ValueError) as error:
        raise Broken(f"a message that can't be read: {error}") from error
    if not isinstance(kind, str) or start != len(frame):
        raise Broken("a message that is not whole")
    return Message(kind, body, blobs)


def _dump(value: object) -> bytes:
    try:
        return orjson.dumps(value, default=_plain)
    except orjson.JSONEncodeError:
        # A device may say what is no text in any encoding (a lone surrogate), or a number without end.
        return json.dumps(value, default=_plain).encode()


def _load(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, set | frozenset) else str(value)
