"""This file measures what one run of each probe costs us: our side only, for the fleet has a process of its own."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bench import calibration
from bench.fleet import Served
from bench.processes import BenchError, children, cpu_seconds
from camera_registry.model.device import Kind
from camera_registry.model.observation import Observation
from camera_registry.model.roster import Target
from camera_registry.rules import plan
from camera_registry.settings import Probes
from probes.base import Tools, observe
from probes.catalog import load
from probes.guard import AddressGuard
from probes.memory import Memory
from probes.picture.desk import PictureDesk

TIMEOUT = 20.0
AT_ONCE = 32
"""Runs under way together: enough to keep the processor busy, few enough that waiting costs nothing."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of the table. CPU in milliseconds a run; ``child``: of the decoding process; ``rate``: runs a second."""

    what: str
    runs: int
    cpu: float
    child: float
    rate: float


@dataclass(frozen=True, slots=True)
class _Case:
    what: str
    probe: str
    options: Mapping[str, object]
    pictures: bool = False


async def costs(fleet: Served, runs: int) -> list[Cost]:
    """What each probe costs, on devices of every maker and way of authentication that the fleet has."""
    targets = _targets(fleet)
    desk = PictureDesk()
    await desk.start()
    try:
        tools = Tools(AddressGuard(("127.0.0.0/8",)), Memory(), fleet.credentials.get)
        told = await _learn(targets, tools)
        found = [await _floor(fleet, runs)]
        cases = (
            _Case("tcp", "tcp", {}),
            _Case("onvif, time and identity only", "onvif", {"full": False}),
            _Case("onvif", "onvif", {}),
            _Case("rtsp, DESCRIBE", "rtsp", {}),
            _Case("rtsp, to the first key frame", "rtsp", {"frames": True}),
            _Case("rtsp, key frame measured", "rtsp", {"picture": True}, pictures=True),
            _Case("snapshot", "snapshot", {}),
            _Case("snapshot, measured", "snapshot", {}, pictures=True),
        )
        for case in cases:
            using = replace(tools, pictures=desk) if case.pictures else tools
            # The first round learns how each device wants to be greeted; it is the second one that repeats for years.
            await _round(case, targets, told, using, len(targets))
            workers = [pid for pid in children(os.getpid()) if pid != fleet.pid]
            found.append(await _measured(case, targets, told, using, runs, workers))
    finally:
        await desk.close()
    return found


def _targets(fleet: Served) -> list[Target]:
    policy = Probes().policy()
    found: list[Target] = []
    for device in fleet.register.devices.values():
        entry = plan.plan(device, (), policy, {}, ())
        if entry is not None and device.kind is Kind.CAMERA:
            found.append(replace(entry.target, credential=device.id))
    return found


async def _learn(targets: list[Target], tools: Tools) -> dict[str, dict[str, object]]:
    """Where each device says its stream and its still picture are."""
    seen = await _round(_Case("onvif", "onvif", {}), targets, {}, tools, len(targets))
    return {one.device: plan.learn("onvif", one.facts) for one in seen}


async def _floor(fleet: Served, runs: int) -> Cost:
    request = b"GET /nothing HTTP/1.1\r\nHost: floor\r\nConnection: close\r\n\r\n"
    camera = next(device for device in fleet.register.devices.values() if device.kind is Kind.CAMERA)
    await calibration.bare_exchange(camera.host, fleet.ports.http, request, runs, AT_ONCE)
    begun = time.monotonic()
    cpu = await calibration.bare_exchange(camera.host, fleet.ports.http, request, runs, AT_ONCE)
    return Cost("one bare exchange (the floor)", runs, cpu, 0.0, runs / (time.monotonic() - begun))


async def _measured(
    case: _Case,
    targets: list[Target],
    told: Mapping[str, Mapping[str, object]],
    tools: Tools,
    runs: int,
    workers: list[int],
) -> Cost:
    """CPU of this process and of its decoding ``workers``."""
    child = sum(map(cpu_seconds, workers))
    cpu, begun = time.process_time(), time.monotonic()
    await _round(case, targets, told, tools, runs)
    cpu, took = time.process_time() - cpu, time.monotonic() - begun
    child = sum(map(cpu_seconds, workers)) - child
    return Cost(case.what, runs, cpu / runs * 1e3, child / runs * 1e3, runs / took)


async def _round(
    case: _Case, targets: list[Target], told: Mapping[str, Mapping[str, object]], tools: Tools, runs: int
) -> list[Observation]:
    """So many runs, a few under way at a time. Raises BenchError when one fails: a failure is not a measurement."""
    probe = load(case.probe)
    waiting = iter(range(runs))
    seen: list[Observation] = []

    async def worker() -> None:
        for number in waiting:
            target = targets[number % len(targets)]
            options = {**told.get(target.device, {}), **case.options}
            seen.append(await observe(case.probe, probe, target, options, tools, timeout=TIMEOUT))

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    failed = [one for one in seen if one.failure is not None]
    if failed:
        first = failed[0]
        raise BenchError(f"{len(failed)} of {runs} runs of {case.what} failed, first {first.device}: {first.failure}")
    return seen
