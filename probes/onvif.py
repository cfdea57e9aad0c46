"""This file probes a device's control interface over ONVIF: its clock, what it is, how it is set up, its profiles, and
where its streams and still pictures are."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from camera_registry.model.observation import Facts
from camera_registry.model.roster import Target
from probes.base import Context
from probes.onvif_device import OnvifDevice
from probes.onvif_media import Media
from probes.onvif_round import Round
from probes.wire import onvif_setup, soap
from probes.wire.soap import Operation
from probes.wire.text import clean

_SET_UP: tuple[tuple[str, Operation, Callable[..., Mapping[str, object]]], ...] = (
    (soap.DEVICE, Operation.NETWORK_INTERFACES, onvif_setup.read_interfaces),
    (soap.DEVICE, Operation.NTP, onvif_setup.read_ntp),
    (soap.DEVICE, Operation.DNS, onvif_setup.read_dns),
    (soap.DEVICE, Operation.HOSTNAME, onvif_setup.read_hostname),
    (soap.DEVICE, Operation.CERTIFICATES, onvif_setup.read_certificates),
    (soap.EVENTS, Operation.SERVICE_CAPABILITIES, onvif_setup.read_events),
)
_ONVIF = "http://www.onvif.org/"
_IDENTITY = "onvif.identity"
"""In a device's memory: ``_Told``, what it is."""
_TOLD = "onvif.told"
"""There too: when it is taken to have told all of itself to whoever asked before us."""
_OWED = "onvif.set_up"
"""There too: how it is set up was not asked in its full round, for others had their turn."""
SERVICES = 32
"""Services of one device that are told by name."""
SURE = 3
"""So many times in a row it must have told another name than before, until it is not asked again at once: whoever hears
that it is another one will not believe it at the first word."""
_WORDS = ("manufacturer", "model", "firmware", "serial", "hardware")


class _Told(NamedTuple):
    """What a device last told of itself, as a hash; when (loop time; before all times: it has refused since), and how
    often in a row."""

    at: float
    words: int
    times: int


async def probe(target: Target, options: Mapping[str, object], context: Context) -> Facts:
    """Ask the device about itself. Options: ``full`` (false asks only the time and what the device is, which tells
    control, clock and identity at a fraction of the cost), ``refresh`` (where ``full`` is not given: a full round only
    when the last one is so many seconds old; default: always), ``identity`` (the same: what the device is is asked only
    when its last answer to that is so many seconds old, or when it does not tell the time), ``told`` (all was told to
    whoever asked before us: the first full round comes at its own place within ``refresh``), ``tokens`` of the media
    profiles that channels are known by, ``token`` of the one that comes first.

    Facts: ``clock_offset_seconds`` (device minus ours), ``device_time``, ``time_source``, ``manufacturer``, ``model``,
    ``firmware``, ``serial``, ``hardware``; in a full round ``profiles``, ``stream_uri``, ``snapshot_uri`` and the
    ``profile`` that they are of, ``cut_short`` (whether there was no time to hear both addresses), of several sources
    or channels ``sources`` [{number, token, profile, profiles, stream_uri, snapshot_uri}], ``services``, ``mac``,
    ``interfaces``, ``dns``, ``ntp``, ``hostname``, ``certificates``, ``events``, ``video_sources``, ``imaging`` (where
    ``refresh`` is given: when it is the device's turn, perhaps in a later round); and ``refused`` (operation to reason)
    for what the device would not answer: one operation that fails never fails the device.
    """
    with OnvifDevice(context, target) as device:
        round_ = Round(device, target, context)
        media = Media(round_, target, context, _tokens(options))
        kept = context.tools.memory.of(target.device).kept
        await round_.ask_time()
        known = _is_known(options, context, target) or await _ask_information(round_)
        if _wants_all(options, media.age if media.age is not None else _age(options, context)):
            context.facts.setdefault("refused", {})  # what was refused an hour ago may be answered now
            await round_.ask_services()
            known = await media.ask() or known
            kept[_OWED] = True
        if options.get("full") is not False:
            await media.go_on()
            if known and _OWED in kept and _has_turn(options, context):
                del kept[_OWED]
                await _ask_set_up(round_)
    if not known:
        raise round_.nothing_known()
    return context.facts


def _tokens(options: Mapping[str, object]) -> list[str]:
    first, others = options.get("token"), options.get("tokens")
    named = [first, *others] if isinstance(others, list | tuple) else [first]
    return [token for token in named if isinstance(token, str) and token]


def _wants_all(options: Mapping[str, object], age: float | None) -> bool:
    full, refresh = options.get("full"), options.get("refresh")
    if isinstance(full, bool):
        return full
    return not isinstance(refresh, int | float) or age is None or age >= refresh


def _has_turn(options: Mapping[str, object], context: Context) -> bool:
    """Whether the device may be asked how it is set up: whom nobody waits for has to wait until it is its turn."""
    polled = "full" not in options and "refresh" in options
    return not polled or context.tools.memory.set_ups.take(asyncio.get_running_loop().time())


def _age(options: Mapping[str, object], context: Context) -> float | None:
    """How old what others were told is taken to be: another age for each device, so that they are not asked for it all
    at once. None: nothing was told."""
    refresh, now = options.get("refresh"), asyncio.get_running_loop().time()
    if options.get("told") is not True or not isinstance(refresh, int | float):
        return None
    kept = context.tools.memory.of(context.device).kept
    at = kept.setdefault(_TOLD, now - zlib.crc32(context.device.encode()) / 2**32 * refresh)
    return now - at if isinstance(at, float) else None


def _is_known(options: Mapping[str, object], context: Context, target: Target) -> bool:
    """Whether the device has told the time now, and what it is not long ago."""
    told = context.tools.memory.of(target.device).kept.get(_IDENTITY)
    lasts = options.get("identity")
    if "full" in options or not isinstance(told, _Told) or not isinstance(lasts, int | float) or told.times < SURE:
        return False
    return "clock_offset_seconds" in context.facts and asyncio.get_running_loop().time() - told.at < lasts


async def _ask_information(round_: Round) -> bool:
    """Who made the device; whether it answered."""
    kept = round_.context.tools.memory.of(round_.context.device).kept
    before = kept.get(_IDENTITY)
    if isinstance(before, _Told):
        # Before the question: one that is refused or cut short leaves it unknown too.
        kept[_IDENTITY] = before._replace(at=float("-inf"))
    told = await round_.ask_information()
    if told is None:
        return False
    words = hash(told)
    times = 1 if isinstance(before, _Told) else SURE
    if isinstance(before, _Told) and before.words == words:
        times = min(SURE, before.times + 1)
    kept[_IDENTITY] = _Told(asyncio.get_running_loop().time(), words, times)
    values = (told.manufacturer, told.model, told.firmware, told.serial, told.hardware)
    round_.facts |= {name: value for name, value in zip(_WORDS, values, strict=True) if value}
    round_.context.step(
        "onvif.information",
        manufacturer=told.manufacturer or "?",
        model=told.model or "?",
        firmware=told.firmware or "?",
        serial=told.serial or "?",
    )
    return True


async def _ask_set_up(round_: Round) -> None:
    """How the device is set up: good to know, and never a reason to call it broken."""
    if not round_.services:
        await round_.ask_services()
    if round_.services:
        names = (namespace.removeprefix(_ONVIF).removesuffix("/wsdl") for namespace in round_.services)
        round_.facts["services"] = sorted(clean(name, 80) for name in names)[:SERVICES]
    for namespace, operation, read in _SET_UP:
        if namespace == soap.DEVICE or namespace in round_.services:
            answer = await round_.ask_aside(namespace, operation)
            if answer is not None:
                round_.facts |= read(answer)
    sources = next((one for one in (soap.DEVICE_IO, soap.MEDIA) if one in round_.services), None)
    tokens: list[str] = []
    if sources is not None:
        answer = await round_.ask_aside(sources, Operation.VIDEO_SOURCES)
        if answer is not None:
            tokens = onvif_setup.read_video_sources(answer)
            round_.facts["video_sources"] = len(tokens)
    if soap.IMAGING in round_.services and tokens:
        await _ask_imaging(round_, tokens[0])


async def _ask_imaging(round_: Round, source: str) -> None:
    """How the first video source is set and focused."""
    found: dict[str, object] = {}
    for operation, read in (
        (Operation.IMAGING_SETTINGS, onvif_setup.read_imaging),
        (Operation.IMAGING_STATUS, onvif_setup.read_focus),
    ):
        answer = await round_.ask_aside(soap.IMAGING, operation, [source])
        if answer is not None:
            found |= read(answer)
    if found:
        round_.facts["imaging"] = found
