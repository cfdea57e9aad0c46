"""Probes a device because somebody asked: a few at once, never the same device twice at a time or again right away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from aiohttp import web

from camera_registry.console.deps import Deps
from camera_registry.console.problems import Problem
from camera_registry.model.device import Device, Life
from camera_registry.model.observation import Observation
from camera_registry.store import audit
from camera_registry.store.errors import Unavailable
from probes.base import Step

_AT_ONCE = 4
_PAUSE = timedelta(seconds=5)
"""Between two runs of one device: asking more often tells nothing new and costs the device sessions."""

Runs = Sequence[tuple[Observation, Sequence[Step]]]


class Probing:
    """The runs under way and the newest ones, so that many askers cost one run."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._running: dict[str, asyncio.Task[Runs]] = {}
        self._recent: dict[str, tuple[datetime, Runs]] = {}

    async def run(self, device: Device, asked_by: str) -> Runs:
        """The observations of one run with their steps. Raises Problem for a device that is not in service."""
        if device.life is not Life.ACTIVE:
            raise Problem(HTTPStatus.CONFLICT, "not_in_service", device=device.id)
        now = self._deps.now()
        self._recent = {one: kept for one, kept in self._recent.items() if now - kept[0] < _PAUSE}
        if device.id in self._recent:
            return self._recent[device.id][1]
        running = self._running.get(device.id)
        if running is None:
            running = self._running[device.id] = asyncio.create_task(self._probe(device, asked_by))
            running.add_done_callback(lambda _: self._running.pop(device.id, None))
        # Whoever asked may go away; the others still wait for the same run.
        return await asyncio.shield(running)

    async def _probe(self, device: Device, asked_by: str) -> Runs:
        async with self._slots:
            runs = await self._deps.probe_now(device)
        now = self._deps.now()
        self._recent[device.id] = (now, runs)
        # Nothing is changed or shown that must not be, so without the database the answer is worth more than its row.
        with contextlib.suppress(Unavailable):
            await self._deps.store.write(audit.append, asked_by, "device.probe", f"device/{device.id}", None, now)
        return runs


PROBING = web.AppKey("probing", Probing)
