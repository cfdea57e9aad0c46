"""Pages hear of changes as they happen, and a page that does not listen harms nobody."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import orjson
import pytest

from camera_registry.board import Board
from camera_registry.console.events import LIVE
from camera_registry.console.live import Event, Live
from camera_registry.model.health import Aspect, Cause
from camera_registry.model.people import Role
from tests.console import fleet
from tests.console.conftest import Browser, Site


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, object]]:
    async for line in answer.content:
        if line.startswith(b"data: "):
            yield orjson.loads(line.removeprefix(b"data: "))


def fault(board: Board, device: str) -> None:
    entry = board.get(device)
    assert entry is not None
    board.swap([fleet.faulty(entry, Aspect.STREAM, Cause.NO_STREAM, fleet.NOW)])


async def test_a_flip_on_the_board_reaches_an_open_page(admin: Browser, site: Site) -> None:
    async with asyncio.timeout(60), admin.session.get(f"{site.url}/events") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        fault(site.board, "cam-00002")
        event = await anext(events(answer))
    assert event == {"revision": site.board.revision, "devices": ["cam-00002"]}


async def test_a_device_page_hears_of_its_device_alone(admin: Browser, site: Site) -> None:
    async with asyncio.timeout(60), admin.session.get(f"{site.url}/events?device=cam-00004") as answer:
        fault(site.board, "cam-00002")
        await asyncio.sleep(1.2)
        fault(site.board, "cam-00004")
        event = await anext(events(answer))
    assert event["devices"] == ["cam-00004"]


async def test_a_page_that_is_closed_is_forgotten(admin: Browser, site: Site) -> None:
    async with asyncio.timeout(60), admin.session.get(f"{site.url}/events") as answer:
        assert len(site.app[LIVE]) == 1
        answer.close()
        while len(site.app[LIVE]):
            fault(site.board, "cam-00002")
            await asyncio.sleep(0.05)


async def test_strangers_hear_nothing(browser: Browser, site: Site) -> None:
    assert (await browser.get("/events"))[0] == 401
    site.user("lee", Role.CREW)
    await browser.sign_in("lee")
    assert (await browser.get("/events"))[0] == 403


async def test_many_changes_are_told_once() -> None:
    board = fleet.board(50)
    live = Live(board, gather=0.01)
    live.start()
    async with live.open(1) as told:
        for number in range(30):
            fault(board, f"cam-{number:05d}")
        event = await anext(told)
        assert isinstance(event, Event)
        assert event.devices is not None
        assert len(event.devices) == 30
    live.stop()


async def test_a_mass_change_names_no_devices() -> None:
    board = fleet.board(300)
    live = Live(board, gather=0.01)
    live.start()
    async with live.open(1) as told:
        board.swap(list(board))
        event = await anext(told)
        assert isinstance(event, Event)
        assert event.devices is None
    live.stop()


async def test_a_client_that_does_not_read_is_let_go_and_the_others_hear_on() -> None:
    board = fleet.board(50)
    live = Live(board, gather=0)
    live.start()
    async with live.open(1) as slow, live.open(1) as quick:
        for number in range(40):
            fault(board, f"cam-{number:05d}")
            event = await anext(quick)
            assert isinstance(event, Event)
        assert len(live) == 1
        with contextlib.suppress(StopAsyncIteration):
            async with asyncio.timeout(1):
                assert await anext(slow) is None
    assert len(live) == 0
    live.stop()


async def test_a_stopping_service_ends_its_streams(admin: Browser, site: Site) -> None:
    async with asyncio.timeout(60), admin.session.get(f"{site.url}/events") as answer:
        site.app[LIVE].stop()
        rest = await answer.content.read()
    assert rest.startswith(b"retry: ")


async def test_a_page_left_open_does_not_keep_its_session(
    admin: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camera_registry.console.events._HEARTBEAT", 0.02)
    headers = {"Accept": "text/event-stream"}
    async with asyncio.timeout(60), admin.session.get(f"{site.url}/events", headers=headers) as answer:
        site.ahead = 1000
        while b"still here" not in await answer.content.readline():
            pass
        site.ahead = 1801
        await answer.content.read()
    assert (await admin.get("/events", **headers))[0] == 401


async def test_a_busy_board_does_not_carry_a_page_past_its_session(
    admin: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is never a silence in which to look at the session."""
    monkeypatch.setattr("camera_registry.console.events._HEARTBEAT", 0.3)
    monkeypatch.setattr(site.app[LIVE], "_gather", 0.01)

    async def flip_on() -> None:
        while True:
            fault(site.board, "cam-00002")
            await asyncio.sleep(0.03)

    flipping = asyncio.create_task(flip_on())
    try:
        async with asyncio.timeout(60), admin.session.get(f"{site.url}/events") as answer:
            await anext(events(answer))
            site.ahead = 1801
            rest = await answer.content.read()
        assert b"still here" not in rest
    finally:
        flipping.cancel()
