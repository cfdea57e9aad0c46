"""This file decides what a device is asked, how often and where: a device file becomes a roster entry."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from camera_registry.model.device import Channel, Device, Life, TlsUse
from camera_registry.model.health import Aspect, Subject
from camera_registry.model.observation import Facts
from camera_registry.model.policy import PollPolicy
from camera_registry.model.probe import PROBES
from camera_registry.model.roster import Entry, Target, Task


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
    target = _target(device)
    ports = target.ports
    probes = [probe for probe in device.probes or policy.by_kind.get(device.kind, ()) if ports[PROBES[probe].port]]
    tasks = [
        _task(device, probe, channel, policy, learned, known)
        for probe in probes
        for channel in _asked(probe, device, channels, probes)
        if not _waits(probe, channel, probes, known)
    ]
    return Entry(target, tuple(tasks)) if tasks else None


def reach_feeder(entry: Entry) -> tuple[str, str]:
    """The (probe, channel) that reach is judged by."""
    order = list(PROBES)
    first = min(entry.tasks, key=lambda task: order.index(task.probe))
    return first.probe, first.channel


def subjects(entry: Entry) -> dict[Subject, float]:
    """What is measured of a device, and every how many seconds at most: the interval of each aspect's feeder."""
    device = entry.target.device
    feeder = reach_feeder(entry)
    found: dict[Subject, float] = {}
    for task in entry.tasks:
        if (task.probe, task.channel) == feeder:
            found[Subject(device, Aspect.REACH)] = task.interval
        for aspect in PROBES[task.probe].aspects:
            found[Subject(device, aspect, task.channel)] = task.interval
    return found


def learn(probe: str, facts: Facts) -> dict[str, str]:
    """Where a device says its stream and its still picture are: facts of one probe that another one needs."""
    tells = PROBES[probe].tells if probe in PROBES else ()
    return {name: value for name in tells if isinstance(value := facts.get(name), str) and value}


def _target(device: Device) -> Target:
    ports = {"onvif": device.onvif_port, "rtsp": device.rtsp_port, "http": device.http_port}
    ports["tcp"] = device.tcp_port or next((port for port in ports.values() if port), 0)
    ports |= {"tls": device.tls_port, "snmp": device.snmp_port}
    own = {"onvif": device.onvif_credential, "snmp": device.snmp_credential}
    return Target(
        device.id,
        device.host,
        ports,
        device.credential,
        device.onvif_path,
        device.http_path or "/",
        tls=device.tls is not TlsUse.OFF,
        certificate=device.certificate if device.tls is not TlsUse.ANY else "",
        credentials={protocol: name for protocol, name in own.items() if name},
    )


def _asked(probe: str, device: Device, channels: Sequence[Channel], probes: Sequence[str]) -> Sequence[Channel]:
    """The channels a probe runs on. A device without registered channels is its own only one.

    What a device tells of itself is where its first channel is. The others are asked only where the register says: the
    first one's stream under their name would be a lie.
    """
    kind, whole = PROBES[probe], Channel("", device.id)
    if not kind.per_channel:
        return (whole,)
    first, *others = sorted(channels, key=lambda channel: (channel.number, channel.id)) or (whole,)
    if any(kind.told in PROBES[other].tells for other in probes):
        others = [channel for channel in others if getattr(channel, kind.place)]
    return (first, *others)


def _waits(probe: str, channel: Channel, probes: Sequence[str], known: Collection[tuple[str, str]]) -> bool:
    """Whether a probe needs an address that the first answer to another one may give. After that answer, good or bad,
    it is asked all the same: at the root of the protocol if nothing better was told."""
    kind = PROBES[probe]
    if not kind.told or getattr(channel, kind.place):
        return False
    return any(kind.told in PROBES[other].tells and (other, "") not in known for other in probes)


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
    kind = PROBES[probe]
    options = dict(policy.options.get(probe, {}))
    if kind.place and (path := getattr(channel, kind.place)):
        options["path"] = path
    elif kind.told in learned:
        options[kind.told] = learned[kind.told]
    soon = (probe, channel.id) not in known
    return Task(probe, interval, pace.timeout, channel.id, options, soon)
