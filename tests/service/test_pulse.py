"""The heartbeat goes out while every loop turns, and stops when one does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from camera_registry.channels import Heartbeat
from camera_registry.service import pulse as module
from camera_registry.service.pulse import LOOPS, Pulse, send_heartbeats
from tests.service.whole import serving, until, write_settings


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[str, list[float]]]:
    """An address, and when it was called."""
    calls: list[float] = []

    async def hear(request: web.Request) -> web.Response:
        calls.append(asyncio.get_running_loop().time())
        return web.Response()

    application = web.Application()
    application.router.add_post("/alive", hear)
    async with TestServer(application) as server:
        yield str(server.make_url("/alive")), calls


@pytest.mark.parametrize("stalled", LOOPS)
async def test_one_loop_that_stalls_stops_the_heartbeat_until_it_turns_again(stalled: str) -> None:
    now = [0.0]
    pulse = Pulse(lambda: now[0])
    async with listening() as (url, calls):
        settings = Heartbeat.model_construct(url=url, interval=0.01)
        sending = asyncio.create_task(send_heartbeats(pulse, lambda: settings))
        await until(lambda: len(calls) > 1)
        now[0] = module.PATIENCE + 1
        for loop in LOOPS:
            if loop != stalled:
                pulse.beat(loop)
        assert pulse.stalled == [stalled]
        await asyncio.sleep(0.1)
        calls.clear()
        await asyncio.sleep(0.3)
        assert calls == []
        pulse.beat(stalled)
        await until(lambda: calls)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def test_every_loop_of_an_idle_service_turns_and_a_recorder_that_hangs_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 12.0)
    async with listening() as (url, calls):
        more = f'[heartbeat]\nurl = "{url}"\ninterval = 1\n'
        async with serving(write_settings(tmp_path, more=more)) as app:
            await until(lambda: len(calls) >= 2)
            begun = {loop: app.pulse._turned[loop] for loop in LOOPS}
            await until(lambda: all(app.pulse._turned[loop] > begun[loop] for loop in LOOPS))
            monkeypatch.setattr(module, "PATIENCE", 3.0)
            # Only the poller may rest that long when nothing is due.
            app.pulse.beat("poller")

            async def hang() -> None:
                await asyncio.Event().wait()

            monkeypatch.setattr(app.recorder, "_try", hang)
            async with asyncio.timeout(60):
                while "recorder" not in app.pulse.stalled:
                    await asyncio.sleep(0.1)
            calls.clear()
            await asyncio.sleep(2)
            assert calls == []
