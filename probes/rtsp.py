"""This file probes a device's stream over RTSP: is it there, what is it, and, when asked, does it play, how well, and
what does it show?"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from camera_registry.model.observation import Facts, FailureKind, Stage
from camera_registry.model.roster import Target
from probes.base import Context, ProbeError
from probes.rtsp_session import RtspSession
from probes.seeing import see
from probes.wire import WireError, rtp, rtsp, sdp
from probes.wire.onvif import read_address, write_uri
from probes.wire.playback import Playback
from probes.wire.rtp import KeyFrame
from probes.wire.rtsp import Answer
from probes.wire.sdp import Description, Media
from probes.wire.text import clean

GOODBYE = 0.5
"""Seconds before the deadline at which waiting for a session's answers and media ends, so that its absence is told and
the session freed."""

MEDIA_LIMIT = 32 * 1024 * 1024
"""Bytes of media that are taken in."""

STREAMS = 256
"""Streams of one device whose descriptions are remembered."""

_MEMORY = "rtsp.descriptions"
_ACCEPT = (("Accept", "application/sdp"),)
_SCHEMES = {"rtsp": 554, "rtsps": 322}
_MEANINGS = {
    403: (FailureKind.AUTH, "this user may not see the stream; give it the right to"),
    404: (FailureKind.NO_STREAM, "there is no such stream; correct the stream path"),
    410: (FailureKind.NO_STREAM, "the stream is gone"),
    453: (FailureKind.BUSY, "all its bandwidth is in use"),
    454: (FailureKind.PROTOCOL, "it does not know its own session"),
    461: (FailureKind.PROTOCOL, "it sends RTP neither over TCP nor over UDP"),
    503: (FailureKind.BUSY, "all its sessions are taken"),
}
_NOT_THERE = (400, 404, 410)


async def probe(target: Target, options: Mapping[str, object], context: Context) -> Facts:
    """Describe the stream and, if asked, play it. Options: ``path`` (default ``/``) or ``stream_uri`` as ONVIF told it;
    ``frames`` (default false): play until the first key frame; ``seconds`` (default 0): play for so long from the first
    frame on, and measure; ``picture`` (default false): look at the first key frame; ``udp`` (default false): do not
    offer TCP for media; ``declared``: what the device says elsewhere of this stream, as a profile of the onvif probe;
    ``masks`` and ``osd`` as in ``probes.seeing``; ``guessed`` (default false): the device could not be asked yet where
    its stream is, so that nothing but the stream itself says anything of it.

    Facts: ``codec``, ``width``, ``height``, ``declared_frame_rate`` as announced, ``declared`` as given. After playing:
    ``transport``, ``frames`` (whole frames received, the key frame included), ``packets``, ``packets_lost``,
    ``key_frame`` (whether one came in time), ``time_to_first_frame_seconds`` (from the first connection attempt to the
    whole key frame), ``sender_clock_offset_seconds`` (the sender's clock in its reports minus ours, if it told one).
    After ``seconds`` also ``measured_seconds``, ``frame_rate``, ``bitrate_kbps``, ``key_frame_interval_seconds``,
    ``longest_pause_seconds``, ``pauses`` (of more than one second), ``loss_share``, ``jitter_ms`` (RFC 3550 section
    6.4.1). After ``picture``: ``picture``, its measures, and ``sha256`` of the key frame.
    """
    begun = asyncio.get_running_loop().time()
    port, uri, tls = _where(target, options)
    wish = Wish.read(options)
    key: KeyFrame | None = None
    codec = ""
    async with RtspSession(context, target, port, tls=tls) as session:
        greeting = await session.ask("OPTIONS", uri)
        context.step("rtsp.options", status=greeting.status, reason=greeting.head.reason)
        answer = await session.request_patiently("DESCRIBE", uri, _ACCEPT)
        _check(answer, "DESCRIBE", guessed=options.get("guessed") is True)
        if not wish.plays and _told_before(answer, uri, options.get("declared"), target, context):
            return context.facts
        description = _read(answer)
        media = description.video()
        if media is None:
            raise ProbeError(FailureKind.NO_STREAM, Stage.ANSWER, "the device describes a session without video")
        told = _Told(hash(answer.body), _facts(media))
        _keep(told, uri, target, context)
        _tell(told, options.get("declared"), context)
        if wish.plays:
            addresses = _addresses(description, media, _base(answer, uri))
            key, codec = await _play(session, media, addresses, wish, context, begun), media.codec
    if wish.picture:
        await _look(key, codec, options, context)
    return context.facts


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted beyond the description."""

    plays: bool
    seconds: float
    picture: bool
    udp: bool

    @classmethod
    def read(cls, options: Mapping[str, object]) -> Wish:
        told = options.get("seconds")
        seconds = float(told) if isinstance(told, int | float) and told > 0 else 0.0
        picture = bool(options.get("picture"))
        return cls(bool(options.get("frames")) or picture or seconds > 0, seconds, picture, bool(options.get("udp")))


def _where(target: Target, options: Mapping[str, object]) -> tuple[int, str, bool]:
    """Port, request URI and encryption. Only the registered host is ever asked, whatever host an address names."""
    registered = target.ports.get("rtsp", 0)
    path, told = options.get("path"), options.get("stream_uri")
    # RTSP over TLS has a port of its own (IANA: rtsps), and a path says nothing of encryption.
    port, scheme = registered or _SCHEMES["rtsp"], "rtsps" if registered == _SCHEMES["rtsps"] else "rtsp"
    if isinstance(path, str) and path:
        pass
    elif isinstance(told, str) and told:
        address = read_address(told)
        if address is None or address.scheme not in _SCHEMES:
            detail = f"the device's stream address is not RTSP: {clean(told, 80)!r}"
            raise ProbeError(FailureKind.NO_STREAM, Stage.ADDRESS, detail)
        scheme, path = address.scheme, address.path
        port = address.port or registered or _SCHEMES[scheme]
    else:
        path = "/"
    return port, rtsp.request_uri(write_uri(scheme, target.host, port, path)), scheme == "rtsps"


def _check(answer: Answer, method: str, *, guessed: bool = False) -> None:
    status = answer.status
    if status < 300:
        return
    said = f"{method}: {status} {answer.head.reason}".strip()
    if guessed and status in _NOT_THERE:
        raise ProbeError.told(FailureKind.NO_STREAM, Stage.ADDRESS, "guessed", said=said)
    if status < 400:
        detail = f"{said}: the device sends us elsewhere, and redirects are not followed"
        raise ProbeError(FailureKind.PROTOCOL, Stage.ANSWER, detail)
    kind, meaning = _MEANINGS.get(status, (FailureKind.PROTOCOL, ""))
    raise ProbeError(kind, Stage.ANSWER, f"{said}: {meaning}" if meaning else said)


def _read(answer: Answer) -> Description:
    try:
        return sdp.read(answer.body)
    except WireError as error:
        raise ProbeError(FailureKind.PROTOCOL, Stage.ANSWER, str(error)) from error


@dataclass(frozen=True, slots=True)
class _Told:
    """What a description said, by the hash of its bytes: it is the same one every minute for years, and reading it
    costs as much as fetching it. ``facts``: names and values."""

    body: int
    facts: tuple[tuple[str, object], ...]


def _descriptions(target: Target, context: Context) -> dict[str, _Told]:
    """What is remembered of a device's streams, by the address that was asked."""
    return cast("dict[str, _Told]", context.tools.memory.of(target.device).kept.setdefault(_MEMORY, {}))


def _keep(told: _Told, uri: str, target: Target, context: Context) -> None:
    known = _descriptions(target, context)
    if len(known) >= STREAMS:
        known.clear()  # a device may name another address each time
    known[uri] = told


def _told_before(answer: Answer, uri: str, declared: object, target: Target, context: Context) -> bool:
    """Tell what these very bytes said the last time, if it is them."""
    known = _descriptions(target, context).get(uri)
    if known is None or known.body != hash(answer.body):
        return False
    _tell(known, declared, context)
    return True


def _tell(told: _Told, declared: object, context: Context) -> None:
    facts = context.facts
    facts |= dict(told.facts)
    if declared:
        facts["declared"] = declared
    if context.caller.steps is not None:
        width, height = facts.get("width"), facts.get("height")
        size = f"{width}x{height}" if width else "?"
        context.step("rtsp.described", codec=facts.get("codec", "?"), size=size)


def _facts(media: Media) -> tuple[tuple[str, object], ...]:
    sets = media.parameter_sets()
    size = rtp.read_size(media.codec, sets)
    width, height = (size.width, size.height) if size is not None else (media.width, media.height)
    rate = media.frame_rate or rtp.read_rate(media.codec, sets)
    found = {"codec": media.codec, "width": width, "height": height, "declared_frame_rate": rate}
    return _alike(tuple((name, value) for name, value in found.items() if value))


@lru_cache(256)
def _alike(facts: tuple[tuple[str, object], ...]) -> tuple[tuple[str, object], ...]:
    """The same facts for all streams of a model."""
    return facts


def _base(answer: Answer, uri: str) -> str:
    """What the addresses in a description are relative to (RFC 2326 appendix C.1.1): Content-Base, Content-Location or
    the request's own address. Devices send relative ones, and empty ones."""
    for name in ("content-base", "content-location"):
        told = answer.head.get(name).strip()
        if told:
            return told if read_address(told) is not None else sdp.resolve(uri, told)
    return uri


def _addresses(description: Description, media: Media, base: str) -> tuple[str, str]:
    """The addresses of the track and of the whole session, as the device wants to hear them.

    They are words in a request on the connection that is open already: no other host is contacted, whatever they say.
    A session's own address, where it stands for itself, is what its tracks are relative to, as players have it.
    """
    whole = sdp.resolve(base, description.control)
    track = sdp.resolve(whole if sdp.is_absolute(description.control) else base, media.control)
    return rtsp.request_uri(track), rtsp.request_uri(whole)


async def _play(
    session: RtspSession, media: Media, addresses: tuple[str, str], wish: Wish, context: Context, begun: float
) -> KeyFrame | None:
    """Play as wished and tell what came; the first key frame."""
    limit = context.deadline - min(GOODBYE, 0.2 * context.remaining())
    try:
        async with asyncio.timeout_at(limit):
            _check(await session.set_up(*addresses, udp=wish.udp), "SETUP")
            context.facts["transport"] = "udp" if session.over_udp else "tcp"
            _check(await session.play(), "PLAY")
    except TimeoutError as error:
        detail = f"no answer within {limit - begun:.1f} s while a session was set up"
        raise ProbeError(FailureKind.TIMEOUT, context.stage, detail) from error
    context.step("rtsp.playing")
    context.stage = Stage.MEDIA
    playback = Playback(media, unordered=session.over_udp)
    end: float | None = None
    try:
        end = await _receive(session, playback, wish, context, limit)
    finally:
        context.facts |= playback.facts(end)
    _judge(playback, limit - begun)
    key = playback.finder.key
    if key is None:
        # Some cameras send a key frame every ten seconds or more. The stream lives; only its first picture is late.
        context.step("rtsp.no_key_frame", frames=playback.finder.frames)
        return None
    elapsed = playback.key_at - begun
    context.facts["time_to_first_frame_seconds"] = round(elapsed, 4)
    if key.size is not None:
        context.facts |= {"width": key.size.width, "height": key.size.height}
    context.step("rtsp.first_frame", seconds=f"{elapsed:.2f}", frames=playback.finder.frames)
    if wish.seconds:
        rate = context.facts.get("frame_rate", "?")
        context.step("rtsp.measured", seconds=context.facts.get("measured_seconds", 0), rate=rate)
    return key


async def _receive(
    session: RtspSession, playback: Playback, wish: Wish, context: Context, limit: float
) -> float | None:
    """Take packets until there is a key frame and the time to measure is over, or until ``limit``; when that was, if
    time was to be measured. Raises ProbeError when the device ends the stream."""
    loop, now = asyncio.get_running_loop(), context.tools.now
    stop = limit
    try:
        async with asyncio.timeout_at(limit) as patience:
            while playback.octets <= MEDIA_LIMIT:
                kind, data, arrival = await session.packet()
                if kind:
                    playback.hear(data, now().timestamp())
                    continue
                playback.take(data, arrival)
                if playback.finder.key is None:
                    continue
                if not wish.seconds:
                    return None
                if arrival >= playback.timeline.first_at + wish.seconds:
                    return arrival
                if stop == limit:
                    stop = min(limit, playback.timeline.first_at + wish.seconds)
                    patience.reschedule(stop)
    except TimeoutError:
        pass
    return loop.time() if wish.seconds and playback.timeline.frames else None


def _judge(playback: Playback, waited: float) -> None:
    """Raise what must be said of media without a frame."""
    finder, within = playback.finder, f"within {waited:.1f} s"
    if finder.frames and not playback.senseless:
        return
    if not playback.packets and not playback.unreadable:
        raise ProbeError(FailureKind.NO_MEDIA, Stage.MEDIA, f"the session plays, but no packet came {within}")
    came = f"{playback.packets} packets, {playback.unreadable + finder.unreadable} of them unreadable"
    raise ProbeError(FailureKind.UNDECODABLE, Stage.MEDIA, f"no whole frame {within} ({came})")


async def _look(key: KeyFrame | None, codec: str, options: Mapping[str, object], context: Context) -> None:
    """Have the key frame decoded and measured, now that the device has its session back."""
    if key is None:
        detail = "no key frame came in time; let the camera send one every few seconds, or raise this probe's timeout"
        raise ProbeError(FailureKind.TIMEOUT, Stage.MEDIA, detail)
    context.stage = Stage.DECODE
    if not key.data:
        detail = f"pictures of {codec or 'a codec without a name'} are not decoded here"
        raise ProbeError(FailureKind.INTERNAL, Stage.DECODE, detail)
    context.facts["sha256"] = hashlib.sha256(key.data).hexdigest()
    await see(key.data, options, context, codec)
    if context.picture is not None:
        context.step("rtsp.picture", codec=codec)
