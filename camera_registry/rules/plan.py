"""This file decides what a device is asked, how often and where: a device file becomes a roster entry."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from camera_registry.model.device import Channel, Device, Life
from camera_registry.model.health import Aspect, Subject
from camera_registry.model.observation import Facts
from camera_registry.model.policy import PollPolicy
from camera_registry.model.roster import Entry, Target, Task
from camera_registry.rules.verdict import ASPECT_OF, REACH_FEEDERS

PER_CHANNEL = ("rtsp", "snapshot")
"""Probes that measure a channel; the others measure the device."""

LEARNED = ("stream_uri", "snapshot_uri")

_PORTS = {"tcp": "tcp", "onvif": "onvif", "rtsp": "rtsp", "snapshot": "http"}


def plan(
    device: Device,
    channels: Sequence[Channel],
    policy: PollPolicy,
    learned: Mapping[str, str],
    known: Collection[tuple[str, str]],
) -> Entry | None:
    """What a poller does for ``device``; None when it is not to be polled (by its life, or for want of an address).

    ``learned`` holds ``stream_uri`` and ``snapshot_uri`` as the device itself told over ONVIF, used where the register
    has no path; ``known`` are the (probe, channel) pairs with an earlier observation. Plan anew when either grows.
    """
    if device.life is not Life.ACTIVE or not device.host:
        return None
    ports = {"onvif": device.onvif_port, "rtsp": device.rtsp_port, "http": device.http_port}
    ports["tcp"] = device.tcp_port or next((port for port in ports.values() if port), 0)
    target = Target(device.id, device.host, ports, device.credential, device.onvif_path)
    probes = [probe for probe in device.probes or policy.by_kind.get(device.kind, ()) if ports[_PORTS[probe]]]
    tasks = [
        _task(device, probe, channel, policy, learned, known)
        for probe in probes
        for channel in _asked(probe, device, channels)
        if not _waits(probe, channel, probes, known)
    ]
    return Entry(target, tuple(tasks)) if tasks else None


def reach_feeder(entry: Entry) -> tuple[str, str]:
    """The (probe, channel) that reach is judged by."""
    tasks = sorted(entry.tasks, key=lambda task: REACH_FEEDERS.index(task.probe))
    return tasks[0].probe, tasks[0].channel


def subjects(entry: Entry) -> dict[Subject, float]:
    """What is measured of a device, and every how many seconds at most: the interval of each aspect's feeder."""
    device = entry.target.device
    feeder = reach_feeder(entry)
    found: dict[Subject, float] = {}
    for task in entry.tasks:
        if (task.probe, task.channel) == feeder:
            found[Subject(device, Aspect.REACH)] = task.interval
        if task.probe in ASPECT_OF:
            found[Subject(device, ASPECT_OF[task.probe], task.channel)] = task.interval
        if task.probe == "onvif":
            found[Subject(device, Aspect.CLOCK)] = task.interval
            found[Subject(device, Aspect.IDENTITY)] = task.interval
    return found


def learn(probe: str, facts: Facts) -> dict[str, str]:
    """Where a device says its stream and its still picture are: facts of one probe that another one needs."""
    if probe != "onvif":
        return {}
    return {name: value for name in LEARNED if isinstance(value := facts.get(name), str) and value}


def _asked(probe: str, device: Device, channels: Sequence[Channel]) -> Sequence[Channel]:
    """The channels a probe runs on. A device without registered channels is its own only one."""
    whole = Channel("", device.id)
    if probe not in PER_CHANNEL:
        return (whole,)
    return sorted(channels, key=lambda channel: (channel.number, channel.id)) or (whole,)


def _waits(probe: str, channel: Channel, probes: Sequence[str], known: Collection[tuple[str, str]]) -> bool:
    """Whether a probe needs an address that the device's first ONVIF answer may give. After that answer, good or bad,
    it is asked all the same: at the root of the protocol if nothing better was told."""
    path = {"rtsp": channel.rtsp_path, "snapshot": channel.snapshot_path}.get(probe, "known")
    return not path and "onvif" in probes and ("onvif", "") not in known


def _task(
    device: Device,
    probe: str,
    channel: Channel,
    policy: PollPolicy,
    learned: Mapping[str, str],
    known: Collection[tuple[str, str]],
) -> Task:
    pace = policy.paces[probe]
    interval = max(device.interval or pace.interval, pace.timeout * 1.1)
    options: dict[str, object] = {}
    if probe == "rtsp":
        options = {"path": channel.rtsp_path} if channel.rtsp_path else _from(learned, "stream_uri")
        options["frames"] = policy.rtsp_frames
    elif probe == "onvif":
        options = {"refresh": policy.onvif_refresh}
    elif probe == "snapshot":
        options = {"path": channel.snapshot_path} if channel.snapshot_path else _from(learned, "snapshot_uri")
    soon = (probe, channel.id) not in known
    return Task(probe, interval, pace.timeout, channel.id, options, soon)


def _from(learned: Mapping[str, str], name: str) -> dict[str, object]:
    return {name: learned[name]} if name in learned else {}
