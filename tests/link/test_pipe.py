"""The link between two processes of one machine: what one end says arrives as it was said, or is told to be broken."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from camera_registry.link import pipe
from camera_registry.link.pipe import Broken, Pipe


@asynccontextmanager
async def ends() -> AsyncIterator[tuple[Pipe, Pipe]]:
    """Both ends of one pipe."""
    one, other = [await Pipe.over(sock) for sock in socket.socketpair()]
    try:
        yield one, other
    finally:
        one.close()
        other.close()


@asynccontextmanager
async def saying(*said: bytes) -> AsyncIterator[Pipe]:
    """An end whose other one sends these bytes and then closes."""
    ours, theirs = socket.socketpair()
    end = await Pipe.over(ours)
    with theirs:
        theirs.sendall(b"".join(said))
    try:
        yield end
    finally:
        end.close()


def frame(head: bytes, rest: bytes = b"", *, more: int = 0) -> bytes:
    """A frame whose head claims to be ``more`` bytes longer than it is."""
    return (4 + len(head) + len(rest)).to_bytes(4, "big") + (len(head) + more).to_bytes(4, "big") + head + rest


async def test_messages_arrive_whole_and_in_order_with_their_pictures() -> None:
    async with ends() as (one, other):
        await one.send("seen", {"n": 1, "text": "路口"}, [b"\xff\xd8", b"", b"x" * 300_000])
        await one.send("status")
        first, second = await other.receive(), await other.receive()
    assert first == pipe.Message("seen", {"n": 1, "text": "路口"}, [b"\xff\xd8", b"", b"x" * 300_000])
    assert second == pipe.Message("status", None, [])


@pytest.mark.parametrize("said", ["\ud800 and more", "\x00\r\n", 2**80, [1.5, None, True], {"a": {"\udfff": []}}])
async def test_what_a_device_may_say_arrives_as_it_was_said_text_or_not(said: object) -> None:
    async with ends() as (one, other):
        await one.send("seen", said)
        heard = await other.receive()
    assert heard is not None
    assert heard.body == said


async def test_both_ends_greet_and_another_version_is_told_with_its_remedy() -> None:
    async with ends() as (one, other):
        await asyncio.gather(one.greet(), other.greet())
    async with ends() as (one, other):
        await other.send(pipe.GREETING, pipe.VERSION + 1)
        with pytest.raises(Broken, match=rf"another version \({pipe.VERSION + 1}, not {pipe.VERSION}\); restart"):
            await one.greet()
    async with ends() as (one, other):
        await other.send("setup", {})
        with pytest.raises(Broken):
            await one.greet()
    async with ends() as (one, other):
        other.close()
        with pytest.raises(ConnectionError):
            await one.greet()


@pytest.mark.parametrize(
    "said",
    [
        (pipe.MOST + 1).to_bytes(4, "big"),
        (3).to_bytes(4, "big") + b"abc",
        frame(b"not json"),
        frame(b"[1]"),
        frame(b"[1, 2, []]"),
        frame(b'["seen", null, [5]]', b"four"),
        frame(b'["seen", null, []]', b"one too many"),
        frame(b'["seen", null, []]', more=7),
        frame(b'["seen", null, ["5"]]', b"fives"),
        frame(b'"seen"'),
    ],
    ids=["too long", "too short", "no text", "no message", "no kind", "cut", "more", "no head", "no length", "word"],
)
async def test_what_makes_no_sense_is_broken_and_never_waited_for(said: bytes) -> None:
    async with saying(said) as end, asyncio.timeout(5):
        with pytest.raises(Broken):
            await end.receive()


async def test_an_end_that_closes_in_the_middle_of_a_frame_has_closed() -> None:
    whole = frame(json.dumps(["seen", "x" * 200_000, []]).encode())
    for cut in (0, 2, 4, 6, 1000, len(whole) - 1):
        async with saying(whole[:cut]) as end:
            assert await end.receive() is None
    async with saying(whole, whole[:9]) as end:
        assert await end.receive() is not None
        assert await end.receive() is None


async def test_what_is_too_long_is_refused_before_anything_of_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe, "MOST", 1000)
    async with ends() as (one, other):
        with pytest.raises(ValueError, match="a message of 2024 bytes"):
            await one.send("seen", None, [b"x" * 2000])
        await one.send("status", 7)
        heard = await other.receive()
    assert heard == pipe.Message("status", 7, [])


async def test_who_is_not_read_waits_with_little_in_hand_and_everything_arrives_once_it_is() -> None:
    size, senders, each = 100_000, 5, 30
    sent = 0
    async with ends() as (one, other):

        async def send(number: int) -> None:
            nonlocal sent
            for count in range(each):
                await one.send("seen", [number, count], [b"x" * size])
                sent += 1

        sending = [asyncio.create_task(send(number)) for number in range(senders)]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await asyncio.gather(*map(asyncio.shield, sending))
        # What the system and both ends hold is some megabytes; what waits is one message of each.
        assert sent * size < 8 * 2**20 < senders * each * size
        heard = [await other.receive() for _ in range(senders * each)]
        await asyncio.gather(*sending)
    told = [message.body for message in heard if message is not None and len(message.blobs[0]) == size]
    assert sorted(told) == [[number, count] for number in range(senders) for count in range(each)]
    assert [count for number, count in told if number == 0] == list(range(each)), "each one's in order"
