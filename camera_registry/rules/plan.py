"""This file decides what a device is asked, how often and where: a device file becomes a roster entry."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from camera_registry.model.device import Channel, Device, Life, TlsUse
from camera_registry.model.health import OF_THE_DEVICE, Aspect, Subject
from camera_registry.model.observation import Facts, Failure, FailureKind
from camera_registry.model.policy import PollPolicy
from camera_registry.model.probe import PROBES
from camera_registry.model.roster import Entry, LeaveAlone, Parent, Run, Target, Task
from camera_registry.rules.pace import USUAL, Urgency, interval
from camera_registry.rules.pictures import outlines

DEPTH = 4
"""Parents above a device that are asked when it fails: recorder, switch, uplink, and one to spare."""

SOURCES = 128
"""Video sources of one device of which is learned where they are, and profiles of which is learned what they are."""
_PROFILE = "profile"
_CUT_SHORT = "cut_short"
_OF_MANY = {"told", "path", "osd", "guessed"}
"""Words to a task that many devices have in common: makers have their paths, models a place for the burnt-in clock."""

_parent = lru_cache(1024)(Parent)

_K = TypeVar("_K")
_V = TypeVar("_V")


def plan(
    device: Device,
    channels: Sequence[Channel],
    policy: PollPolicy,
    learned: Facts,
    known: Collection[Run],
    parents: Sequence[Device] = (),
    succeeded: Collection[Run] | None = None,
    urgency: Urgency = USUAL,
) -> Entry | None:
    """What a poller does for ``device``; None when it is not to be polled (by its life, or for want of an address).

    ``learned`` holds what ``learn`` made of the device's own words on its streams and pictures: where they are, used
    where the register has no path, and what they are like; ``known`` are the runs with an earlier observation,
    ``succeeded`` those of them that ever went well (None: all). Plan anew when any grows. ``parents``: the devices
    above, the nearest first.
    """
    if device.life is not Life.ACTIVE or not device.host:
        return None
    target = _target(device, parents)
    probes = [probe for probe in device.probes or _usual(device, policy) if _speaks(target, probe)]
    order = sorted(channels, key=lambda channel: (channel.number, channel.id)) or [Channel("", device.id)]
    let_in = known if succeeded is None else succeeded
    tasks = [
        Task(
            probe,
            interval(device, probe, policy, urgency),
            policy.paces[probe].timeout,
            channel.id,
            _options(probe, policy, _words(probe, channel, order, learned) | _guess(probe, probes, where, let_in)),
            soon=(probe, channel.id) not in known,
        )
        for asked in probes
        for channel in _asked(asked, device, order, probes, learned)
        for probe in (_instead(asked, channel, order, probes, learned),)
        for where in (_place(probe, channel, order, learned),)
        if not _waits(probe, probes, where, learned, known, let_in)
    ]
    return Entry(target, tuple(tasks)) if tasks else None


def _speaks(target: Target, probe: str) -> bool:
    """Whether the device has a port for the probe, if that asks a port at all."""
    port = PROBES[probe].port
    return not port or target.ports[port] > 0


def _usual(device: Device, policy: PollPolicy) -> Sequence[str]:
    """The probes of a device whose entry names none."""
    usual = policy.by_kind.get(device.kind, ())
    if device.traffic_kind is not None:
        usual = policy.by_traffic_kind.get(device.traffic_kind, usual)
    return [probe for probe in usual if not PROBES[probe].needs or getattr(device, PROBES[probe].needs)]


def reach_feeder(entry: Entry) -> Run:
    """The run that reach is judged by."""
    order = list(PROBES)
    first = min(entry.tasks, key=lambda task: order.index(task.probe))
    return first.probe, first.channel


def feeders(entry: Entry) -> dict[Subject, Mapping[Run, float]]:
    """What is measured of a device, and by which runs, each with its interval in seconds. Reach has one feeder only."""
    device = entry.target.device
    found: dict[Subject, dict[Run, float]] = {}
    reach = reach_feeder(entry)
    for task in entry.tasks:
        run = (task.probe, task.channel)
        for aspect in _fed(task.probe, reach=run == reach, encrypted=_encrypted(task, entry.target)):
            channel = "" if aspect in OF_THE_DEVICE else task.channel
            found.setdefault(Subject(device, aspect, channel), {})[run] = _told_every(task, aspect)
    return {subject: _alike(tuple(runs.items())) for subject, runs in found.items()}


@lru_cache(256)
def _fed(probe: str, *, reach: bool, encrypted: bool) -> tuple[Aspect, ...]:
    """The aspects that a run feeds, in an order of their own: that of a set is another one in each process."""
    more = {Aspect.REACH: reach, Aspect.IDENTITY: encrypted}
    return tuple(sorted({*PROBES[probe].aspects, *(aspect for aspect, is_fed in more.items() if is_fed)}))


@lru_cache(256)
def _alike(items: tuple[tuple[_K, _V], ...]) -> Mapping[_K, _V]:
    """These items as one mapping for all devices that have the same ones. Of a fleet's plans that is the most, and a
    mapping weighs a quarter of a kilobyte."""
    return dict(items)


def _told_every(task: Task, aspect: Aspect) -> float:
    """Seconds between what a task tells of an aspect: what a device is, is asked less often than how it fares."""
    lasts = task.options.get("identity", 0)
    if aspect is not Aspect.IDENTITY or not isinstance(lasts, int | float):
        return task.interval
    return task.interval * max(1, math.ceil(lasts / task.interval))


def _encrypted(task: Task, target: Target) -> bool:
    """Whether a task meets the device's certificate."""
    place = task.options.get(PROBES[task.probe].told)
    if isinstance(place, str):
        return place.startswith(("https:", "rtsps:"))
    return target.tls and PROBES[task.probe].port in ("http", "onvif")


def leave_alone(device: str, failure: Failure | None) -> LeaveAlone | None:
    """What a poller that starts anew must know of a refused password; None where there is nothing to know."""
    if failure is None or failure.kind is not FailureKind.AUTH:
        return None
    told = failure.values
    match told.get("credential"), told.get("version"), told.get("protocol"), told.get("at"), told.get("until"):
        case str(credential), int(version), str(protocol), str(at), str(until):
            times = datetime.fromisoformat(at), datetime.fromisoformat(until)
            return LeaveAlone(device, credential, version, protocol, *times)
        case _:
            return None


def learn(probe: str, facts: Facts) -> dict[str, object]:
    """Where a device says its streams and still pictures are, and what it says of them: facts of one probe that another
    one needs.

    The device's own are under the fact's name; those of the ``sources`` of a recorder under that name with the token of
    their profile or the number of their source, as ``_learned`` looks them up. Profiles are under their token and under
    the address of their stream. ``cut_short``: it had no time yet to say where they are.
    """
    tells = PROBES[probe].tells if probe in PROBES else ()
    profiles = _profiles(facts) if tells else {}
    told: dict[str, object] = {name: value for name in tells if isinstance(value := facts.get(name), str) and value}
    if tells and isinstance(cut := facts.get(_CUT_SHORT), bool):
        told[_CUT_SHORT] = cut
    sources = facts.get("sources")
    for source in sources[:SOURCES] if isinstance(sources, list | tuple) else ():
        if not isinstance(source, Mapping):
            continue
        for name in tells:
            value, token, number = source.get(name), source.get("profile"), source.get("number")
            if not isinstance(value, str) or not value:
                continue
            if isinstance(number, int):
                told.setdefault(_by_number(name, number), value)
            if isinstance(token, str) and token:
                told.setdefault(_by_token(name, token), value)
    for token, profile in profiles.items():
        told[_by_token(_PROFILE, token)] = profile
    for where in (facts, *(sources[:SOURCES] if isinstance(sources, list | tuple) else ())):
        uri, of = (where.get("stream_uri"), where.get("profile")) if isinstance(where, Mapping) else (None, None)
        if isinstance(uri, str) and of in profiles:
            told[_by_address(uri)] = profiles[of]
    return told


def _parents(devices: Sequence[Device]) -> Iterator[Parent]:
    """Those that can be asked: one that is out of service says nothing of the way."""
    for device in devices[:DEPTH]:
        if device.life is Life.ACTIVE and device.host:
            yield _parent(device.id, device.host, _ports(device)["tcp"])


def _options(probe: str, policy: PollPolicy, words: Facts) -> Facts:
    """What a task is told besides where its device is; ``words`` are those that are for this device."""
    told = {**PROBES[probe].options, **policy.options.get(probe, {}), **words}
    if words.keys() - _OF_MANY:
        return told
    osd = told.pop("osd", None)
    return _usual_options(tuple(told.items()), tuple(osd.items()) if isinstance(osd, Mapping) else ())


@lru_cache(1024)
def _usual_options(told: tuple[tuple[str, object], ...], osd: tuple[tuple[str, object], ...]) -> Facts:
    return {**dict(told), "osd": _alike(osd)} if osd else dict(told)


def _ports(device: Device) -> dict[str, int]:
    ports = {"onvif": device.onvif_port, "rtsp": device.rtsp_port, "http": device.http_port}
    ports["tcp"] = device.tcp_port or next((port for port in ports.values() if port), 0)
    return ports


def _target(device: Device, parents: Sequence[Device]) -> Target:
    ports = _ports(device)
    ports |= {"tls": device.tls_port, "snmp": device.snmp_port}
    own = {"onvif": device.onvif_credential, "snmp": device.snmp_credential}
    return Target(
        device.id,
        device.host,
        _alike(tuple(ports.items())),
        device.credential,
        device.onvif_path,
        device.http_path or "/",
        tls=device.tls is not TlsUse.OFF,
        certificate=device.certificate if device.tls is not TlsUse.ANY else "",
        credentials=_alike(tuple((protocol, name) for protocol, name in own.items() if name)),
        parents=tuple(_parents(parents)),
    )


def _profiles(facts: Facts) -> dict[str, dict[str, object]]:
    """What the device says of each profile's stream, by its token."""
    profiles = facts.get("profiles")
    return {
        str(profile["token"]): {name: profile.get(name) for name in ("encoding", "width", "height", "frame_rate")}
        for profile in (profiles[:SOURCES] if isinstance(profiles, list | tuple) else ())
        if isinstance(profile, Mapping) and profile.get("token")
    }


def _by_number(name: str, number: int) -> str:
    return f"{name} {number}"


def _by_token(name: str, token: str) -> str:
    return f"{name} of {token}"


def _by_address(uri: str) -> str:
    return f"{_PROFILE} at {uri}"


def _learned(name: str, channel: Channel, order: Sequence[Channel], learned: Facts) -> object:
    """Where the device says this channel is: by its token, else by its number; empty if it does not say.

    What a device tells of itself, and of no source in particular, is where its first channel is; under the name of
    another one it would be a lie.
    """
    if channel.token and (found := learned.get(_by_token(name, channel.token))):
        return found
    if found := learned.get(_by_number(name, channel.number)):
        return found
    several = any(key.startswith(f"{name} ") for key in learned)
    return learned.get(name, "") if channel == order[0] and not several else ""


def _asked(
    probe: str, device: Device, order: Sequence[Channel], probes: Sequence[str], learned: Facts
) -> Sequence[Channel]:
    """The channels a probe runs on. A device without registered channels is its own only one.

    Where the device is asked for its streams, a channel but the first is asked only when the register or the device
    says where it is.
    """
    kind = PROBES[probe]
    if not kind.per_channel:
        return (Channel("", device.id),)
    first, *others = order
    if _tellers(probe, probes):
        others = [
            one
            for one in others
            if getattr(one, kind.place)
            or _learned(kind.told, one, order, learned)
            or _instead(probe, one, order, probes, learned) != probe
        ]
    return (first, *others)


def _named(probe: str, order: Sequence[Channel]) -> dict[str, object]:
    """For the probe that tells where channels are: the tokens by which the register knows those without a path."""
    told = PROBES[probe].tells
    if not told:
        return {}
    asking = [kind for kind in PROBES.values() if kind.told in told]
    tokens = [one.token for one in order if one.token and not all(getattr(one, kind.place) for kind in asking)]
    return {"tokens": list(dict.fromkeys(tokens))[:SOURCES]} if tokens else {}


def _instead(probe: str, channel: Channel, order: Sequence[Channel], probes: Sequence[str], learned: Facts) -> str:
    """The probe that is run in place of ``probe``: a channel of which the device told the stream, but no still picture,
    shows one in its stream."""
    if probe != "snapshot" or "rtsp" not in probes or channel.snapshot_path:
        return probe
    told = {name: _learned(name, channel, order, learned) for name in ("stream_uri", "snapshot_uri")}
    return "key_frame" if told["stream_uri"] and not told["snapshot_uri"] else probe


def _words(probe: str, channel: Channel, order: Sequence[Channel], learned: Facts) -> dict[str, object]:
    """What a probe is told of this device. ``told``: a device with one channel has said where its stream is, so that
    nothing waits for it to be asked for that after a start; of many channels it tells a few at a time."""
    where = _place(probe, channel, order, learned)
    told = len(order) == 1 and any(learned.get(name) for name in PROBES[probe].tells)
    return {
        **_named(probe, order),
        **({"told": True} if told else {}),
        **where,
        **_declared(probe, channel, where, learned),
        **_shown(probe, channel),
    }


def _shown(probe: str, channel: Channel) -> dict[str, object]:
    """What is registered of a channel's picture."""
    if not PROBES[probe].per_channel:
        return {}
    told: dict[str, object] = {"masks": list(channel.masks)} if channel.masks else {}
    if channel.osd_box:
        layout, zone = channel.osd_format or outlines.CLOCK, channel.osd_zone or "UTC"
        told["osd"] = _alike((("box", channel.osd_box), ("format", layout), ("zone", zone)))
    return told


def _declared(probe: str, channel: Channel, where: Facts, learned: Facts) -> dict[str, object]:
    """What the device says of the stream that is asked for: of the profile that told its address, or that the register
    names by its token."""
    if Aspect.STREAM not in PROBES[probe].aspects:
        return {}
    uri = where.get("stream_uri")
    profile = learned.get(_by_address(uri) if isinstance(uri, str) else _by_token(_PROFILE, channel.token))
    return {"declared": profile} if profile else {}


def _place(probe: str, channel: Channel, order: Sequence[Channel], learned: Facts) -> dict[str, object]:
    """Where a probe of a channel asks: the register's path, else what the device told."""
    kind = PROBES[probe]
    if kind.place and (path := getattr(channel, kind.place)):
        return {"path": path}
    if kind.told and (uri := _learned(kind.told, channel, order, learned)):
        return {kind.told: uri}
    return {}


def _waits(
    probe: str,
    probes: Sequence[str],
    place: Facts,
    learned: Facts,
    known: Collection[Run],
    succeeded: Collection[Run],
) -> bool:
    """Whether a probe needs an address that another one may yet tell. A stream is asked for once the other's answer
    is known, good or bad: at the root of the protocol if nothing better was told. A still picture has no such place: as
    long as the device has never let us ask where it is, nothing can be said of it. Who had no time to say where they
    are is soon asked again."""
    kind = PROBES[probe]
    if "path" in place:
        return False
    heard = known if Aspect.STREAM in kind.aspects or place else succeeded
    cut_short = not place and learned.get(_CUT_SHORT) is True
    return any(cut_short or (other, "") not in heard for other in _tellers(probe, probes))


def _guess(probe: str, probes: Sequence[str], place: Facts, succeeded: Collection[Run]) -> dict[str, object]:
    """For a probe that asks at the root of the protocol, for want of anything better: whether whoever could tell where
    to ask has never let us ask for it."""
    guessed = not place and any((other, "") not in succeeded for other in _tellers(probe, probes))
    return {"guessed": True} if guessed else {}


def _tellers(probe: str, probes: Sequence[str]) -> list[str]:
    """The probes, of those that a device is asked, that may tell where this one has to ask."""
    told = PROBES[probe].told
    return [other for other in probes if told and told in PROBES[other].tells]
