"""This file measures our probes beside other clients: the same devices, one by one, each asked for the first time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from urllib.parse import quote

from bench.clients import CLIENTS
from bench.fleet import SEED, Served
from bench.processes import BenchError
from camera_registry.model.people import Credential
from camera_registry.model.roster import Target
from camera_registry.simulator.makers import SoapAccess
from camera_registry.simulator.member import Member
from camera_registry.simulator.plan import Fleet
from probes.base import Tools, observe
from probes.catalog import load
from probes.guard import AddressGuard
from probes.memory import Memory
from probes.wire import soap_requests
from tests.servers import debian_file, debian_libraries

TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Rival:
    """Our probe and another client at the same task. CPU and wall: milliseconds a device that both could ask;
    ``answered``: how many of ``tried`` the other one could. Ratios: theirs to ours."""

    what: str
    client: str
    tried: int
    answered: int
    cpu: float
    wall: float
    their_cpu: float
    their_wall: float
    cpu_ratio: float
    wall_ratio: float


@dataclass(frozen=True, slots=True)
class _Match:
    what: str
    client: str
    probe: str
    options: Mapping[str, object]


_MATCHES = (
    _Match("identity, profiles, addresses", "onvif-zeep", "onvif", {"full": True}),
    _Match("a stream to its first key frame", "cv2.VideoCapture", "rtsp", {"frames": True}),
    _Match("what a stream is", "ffprobe", "rtsp", {"frames": False}),
)


async def rivals(fleet: Served, count: int, clients: Sequence[str], folder: Path) -> list[Rival]:
    """Measure beside these ``clients``, on up to ``count`` cameras each."""
    return [await _match(match, fleet, count, folder) for match in _MATCHES if match.client in clients]


async def _match(match: _Match, fleet: Served, count: int, folder: Path) -> Rival:
    members = _members(fleet, match, count)
    theirs = _theirs(match.client, [_device(member, fleet) for member in members], folder)
    soap_requests.prepare()
    await _ours(match, members[0], fleet)  # for what is loaded but once, as they may
    both: list[tuple[float, float, float, float]] = []
    for member, measured in zip(members, theirs, strict=True):
        ours = await _ours(match, member, fleet)
        if measured is not None:
            both.append((*ours, *measured))
    if not both:
        raise BenchError(f"{match.client} could ask none of {len(members)} devices")
    cpu, wall, their_cpu, their_wall = (1e3 * mean(column) for column in zip(*both, strict=True))
    ratios = their_cpu / cpu, their_wall / wall
    return Rival(match.what, match.client, len(members), len(both), cpu, wall, their_cpu, their_wall, *ratios)


def _members(fleet: Served, match: _Match, count: int) -> list[Member]:
    """Cameras of every maker. Other ONVIF clients go to the address that a device tells, wherever that is: those that
    tell one outside of loopback, or take HTTP Digest alone, are left out for them."""
    plan = Fleet.plan(len(fleet.register.devices), SEED)
    found = [member for member in plan.members if member.device.kind.value == "camera" and not member.device.probes]
    if match.probe == "onvif":
        found = [one for one in found if not one.maker.tells_inner_address and one.maker.soap is not SoapAccess.DIGEST]
    return found[:count]


def _device(member: Member, fleet: Served) -> dict[str, str]:
    login = f"{quote(member.username, safe='')}:{quote(member.password, safe='')}"
    return {
        "host": member.device.host,
        "port": str(fleet.ports.http),
        "user": member.username,
        "password": member.password,
        "uri": f"rtsp://{login}@{member.device.host}:{fleet.ports.rtsp}{member.stream_path()}",
    }


async def _ours(match: _Match, member: Member, fleet: Served) -> tuple[float, float]:
    """Processor and clock seconds of one run that remembers nothing. Raises BenchError when it fails."""
    login = Credential(member.id, member.username, member.password)
    tools = Tools(AddressGuard(("127.0.0.0/8",)), Memory(), {member.id: login}.get)
    target = Target(member.id, member.device.host, {"onvif": fleet.ports.http, "rtsp": fleet.ports.rtsp})
    options = {**match.options, "path": member.stream_path()}
    cpu, begun = time.process_time(), time.monotonic()
    seen = await observe(
        match.probe, load(match.probe), replace(target, credential=member.id), options, tools, timeout=TIMEOUT
    )
    if seen.failure is not None:
        raise BenchError(f"{match.probe} of {member.id} failed: {seen.failure}")
    return time.process_time() - cpu, time.monotonic() - begun


def _theirs(client: str, devices: list[dict[str, str]], folder: Path) -> list[tuple[float, float] | None]:
    assert client in CLIENTS
    file = folder / f"{client}.json"
    file.write_text(json.dumps(devices), encoding="utf-8")
    environ = dict(os.environ)
    if client == "ffprobe":
        environ |= {"FFPROBE": str(debian_file("usr/bin/ffprobe", client)), "LD_LIBRARY_PATH": debian_libraries()}
    command = [sys.executable, "-m", "bench.clients", client, str(file)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise BenchError(f"{client} ended with exit code {done.returncode}:\n{done.stderr[-2000:]}")
    found: list[tuple[float, float] | None] = json.loads(done.stdout.splitlines()[-1])
    return found
