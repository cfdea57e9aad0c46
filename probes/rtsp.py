"""This file probes a device's stream over RTSP: is it there, what is it, and, when asked, does it play?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from camera_registry.model.observation import Facts, FailureKind, Stage
from camera_registry.model.roster import Target
from probes.base import Context, ProbeError
from probes.rtsp_session import RtspSession
from probes.wire import WireError, rtp, rtsp, sdp
from probes.wire.onvif import read_address, write_uri
from probes.wire.rtp import FrameFinder
from probes.wire.rtsp import Answer
from probes.wire.sdp import Description, Media
from probes.wire.text import clean

GOODBYE = 0.5
"""Seconds before the deadline at which waiting for media ends, so that its absence is told and the session freed."""

MEDIA_LIMIT = 32 * 1024 * 1024
"""Bytes of media that are taken in while waiting for a key frame."""

MOMENT = 0.3
"""Seconds after which a device that is busy is asked once more."""

_ACCEPT = (("Accept", "application/sdp"),)
_SCHEMES = {"rtsp": 554, "rtsps": 322}
_MEANINGS = {
    403: (FailureKind.AUTH, "this user may not see the stream; give it the right to"),
    404: (FailureKind.NO_STREAM, "there is no such stream; correct the stream path"),
    410: (FailureKind.NO_STREAM, "the stream is gone"),
    453: (FailureKind.BUSY, "all its bandwidth is in use"),
    454: (FailureKind.PROTOCOL, "it does not know its own session"),
    461: (FailureKind.PROTOCOL, "it does not send RTP over TCP"),
    503: (FailureKind.BUSY, "all its sessions are taken"),
}


async def probe(target: Target, options: Mapping[str, object], context: Context) -> Facts:
    """Describe the stream and, if asked, play it until its first key frame. Options: ``path`` (default ``/``) or
    ``stream_uri`` as ONVIF told it; ``frames`` (default false): also play.

    Facts: ``codec``, ``width``, ``height``, ``frame_rate`` as announced; after playing also ``transport``, ``frames``
    (whole frames received, the key frame included), ``packets``, ``key_frame`` (whether one came in time) and
    ``time_to_first_frame_seconds`` (from the first connection attempt to the whole key frame).
    """
    begun = asyncio.get_running_loop().time()
    port, uri, tls = _where(target, options)
    async with RtspSession(context, target, port, tls=tls) as session:
        greeting = await session.ask("OPTIONS", uri)
        context.step("rtsp.options", status=greeting.status, reason=greeting.head.reason)
        answer = await session.request("DESCRIBE", uri, _ACCEPT)
        if answer.status == 503:
            # A server may say so for a moment while it takes down the session before ours (GStreamer's does).
            await asyncio.sleep(MOMENT)
            answer = await session.request("DESCRIBE", uri, _ACCEPT)
        _check(answer, "DESCRIBE")
        description = _read(answer)
        media = description.video()
        if media is None:
            raise ProbeError(FailureKind.NO_STREAM, Stage.ANSWER, "the device describes a session without video")
        _tell(media, context)
        if options.get("frames"):
            base = answer.head.get("content-base") or answer.head.get("content-location") or uri
            await _play(session, media, _addresses(description, media, base.strip(), uri), context, begun)
    return context.facts


def _where(target: Target, options: Mapping[str, object]) -> tuple[int, str, bool]:
    """Port, request URI and encryption. Only the registered host is ever asked, whatever host an address names."""
    registered = target.ports.get("rtsp", 0)
    path, told = options.get("path"), options.get("stream_uri")
    if isinstance(path, str) and path:
        port, scheme = registered or _SCHEMES["rtsp"], "rtsp"
    elif isinstance(told, str) and told:
        address = read_address(told)
        if address is None or address.scheme not in _SCHEMES:
            detail = f"the device's stream address is not RTSP: {clean(told, 80)!r}"
            raise ProbeError(FailureKind.NO_STREAM, Stage.ADDRESS, detail)
        scheme, path = address.scheme, address.path
        port = address.port or registered or _SCHEMES[scheme]
    else:
        port, scheme, path = registered or _SCHEMES["rtsp"], "rtsp", "/"
    return port, rtsp.request_uri(write_uri(scheme, target.host, port, path)), scheme == "rtsps"


def _check(answer: Answer, method: str) -> None:
    status = answer.status
    if status < 300:
        return
    said = f"{method}: {status} {answer.head.reason}".strip()
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


def _tell(media: Media, context: Context) -> None:
    size = rtp.read_size(media.codec, media.parameter_sets())
    width, height = (size.width, size.height) if size is not None else (media.width, media.height)
    found = {"codec": media.codec, "width": width, "height": height, "frame_rate": media.frame_rate}
    context.facts |= {name: value for name, value in found.items() if value}
    context.step("rtsp.described", codec=media.codec or "?", size=f"{width}x{height}" if width else "?")


def _addresses(description: Description, media: Media, base: str, uri: str) -> tuple[str, str]:
    """The addresses of the track and of the whole session, as the device wants to hear them.

    They are words in a request on the connection that is open already: no other host is contacted, whatever they say.
    """
    safe = base if read_address(base) is not None else uri
    whole = sdp.resolve(safe, description.control) if description.control not in ("", "*") else safe
    track = sdp.resolve(safe, media.control)
    return rtsp.request_uri(track), rtsp.request_uri(whole)


async def _play(session: RtspSession, media: Media, addresses: tuple[str, str], context: Context, begun: float) -> None:
    track, whole = addresses
    _check(await session.set_up(track, whole, (("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1"),)), "SETUP")
    context.facts["transport"] = "tcp"
    _check(await session.play(), "PLAY")
    context.step("rtsp.playing")
    context.stage = Stage.MEDIA
    finder = FrameFinder(media.codec, media.parameter_sets())
    tally = _Tally()
    patience = min(GOODBYE, 0.2 * context.remaining())
    try:
        async with asyncio.timeout_at(context.deadline - patience):
            await _find_key_frame(session, finder, tally)
    except TimeoutError as error:
        if not finder.frames:
            raise _missing(finder, tally, context.deadline - patience - begun) from error
    finally:
        context.facts |= {"frames": finder.frames, "packets": tally.packets, "key_frame": finder.key is not None}
    if finder.key is None:
        # Some cameras send a key frame every ten seconds or more. The stream lives; only its first picture is late.
        context.step("rtsp.no_key_frame", frames=finder.frames)
        return
    elapsed = asyncio.get_running_loop().time() - begun
    context.facts["time_to_first_frame_seconds"] = round(elapsed, 4)
    if finder.key.size is not None:
        context.facts |= {"width": finder.key.size.width, "height": finder.key.size.height}
    context.step("rtsp.first_frame", seconds=f"{elapsed:.2f}", frames=finder.frames)


class _Tally:
    """What came over the media channel."""

    def __init__(self) -> None:
        self.packets = 0
        self.octets = 0
        self.unreadable = 0


async def _find_key_frame(session: RtspSession, finder: FrameFinder, tally: _Tally) -> None:
    while finder.key is None:
        packet = await session.packet()
        if packet.channel != 0:
            continue  # RTCP
        tally.octets += len(packet.data)
        if tally.octets > MEDIA_LIMIT:
            detail = f"no key frame in {MEDIA_LIMIT // 1_048_576} MB of media"
            raise ProbeError(FailureKind.UNDECODABLE, Stage.MEDIA, detail)
        try:
            finder.add(rtp.read_packet(packet.data))
        except WireError:
            tally.unreadable += 1
        else:
            tally.packets += 1


def _missing(finder: FrameFinder, tally: _Tally, waited: float) -> ProbeError:
    within = f"within {waited:.1f} s"
    if not tally.packets and not tally.unreadable:
        return ProbeError(FailureKind.NO_MEDIA, Stage.MEDIA, f"the session plays, but no packet came {within}")
    came = f"{tally.packets} packets, {tally.unreadable + finder.unreadable} of them unreadable"
    return ProbeError(FailureKind.UNDECODABLE, Stage.MEDIA, f"no whole frame {within} ({came})")
