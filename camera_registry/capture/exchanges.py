"""This file cuts what passed over a connection into exchanges: each request, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from lxml import etree

from camera_registry.capture.recording import Answer, Asked, Body, Exchange, Media, Size
from camera_registry.capture.tape import Passed, Reel, Tape
from probes.wire import WireError, rtp, rtsp, sdp
from probes.wire.http import AnswerReader
from probes.wire.rtp import FrameFinder
from probes.wire.rtsp import Packet

BODY_LIMIT = 8 * 1024 * 1024
_AUTHORITY = re.compile(r"[a-z]+://[^/?#]*", re.IGNORECASE)
_NAMESPACE = re.compile(r"https?://www\.onvif\.org/(.+)/wsdl$")


def cut(tape: Tape, roles: Mapping[int, str], *, media: bool) -> Iterator[Exchange]:
    """The exchanges of all connections. ``roles``: what a port is called; ``media``: keep the packets of a stream up to
    its first key frame."""
    for reel in tape.reels:
        first = next((passed.data for passed in reel.passed if passed.sent), b"")
        speaks = _rtsp if b" RTSP/1" in first.partition(b"\r\n")[0] else _http
        yield from speaks(reel, roles[reel.port], media)


def read_request(data: bytes) -> tuple[Asked, Mapping[str, str], bytes]:
    """A whole request: normalised, its headers (names in lower case), its body."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = (*first.split(" ", 2), "", "")[:3]
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    operation, token, signed = _read_soap(body)
    proof = "token" if signed else headers.get("authorization", "").partition(" ")[0].lower()
    return Asked(method, _AUTHORITY.sub("", target, count=1) or "/", operation, token, proof), headers, body


def _read_soap(body: bytes) -> tuple[str, str, bool]:
    """Operation with its service, the tokens it names, and whether it is signed; empty for what is no SOAP."""
    if b"Envelope" not in body:
        return "", "", False
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return "", "", False
    inside = next(root.iterfind("{*}Body/*"), None)
    if inside is None:
        return "", "", False
    name = etree.QName(inside)
    service = _NAMESPACE.match(name.namespace or "")
    tokens = [
        found.text or "" for found in inside.iter(etree.Element) if etree.QName(found).localname.endswith("Token")
    ]
    signed = next(root.iter("{*}UsernameToken"), None) is not None
    return f"{service[1]}/{name.localname}" if service else name.localname, " ".join(tokens), signed


def _http(reel: Reel, role: str, media: bool) -> Iterator[Exchange]:
    for request, answers in _turns(reel.passed):
        asked, _, _ = read_request(request.data)
        reader = AnswerReader(BODY_LIMIT)
        closes = any(not passed.data for passed in answers)
        raw = b"".join(passed.data for passed in answers)
        answer, garbage = None, b""
        try:
            if raw:
                reader.feed(raw)
                read = reader.answer or reader.end()
                answer = Answer(read.status, read.head.reason, read.head.headers, Body(read.body))
        except WireError:
            garbage = raw[:4096]
        yield Exchange(role, "http", asked, answer, garbage, closes, _took(request, answers))


def _rtsp(reel: Reel, role: str, media: bool) -> Iterator[Exchange]:
    reader = rtsp.Reader()
    described: sdp.Media | None = None
    for request, answers in _turns(reel.passed):
        if request.data.startswith(b"$"):
            continue  # our own reports
        asked, _, _ = read_request(request.data)
        raw = b"".join(passed.data for passed in answers)
        closes = any(not passed.data for passed in answers)
        answer, garbage = None, b""
        packets: list[Packet] = []
        try:
            items = reader.feed(raw)
        except WireError:
            items, garbage = [], raw[:4096]
        for item in items:
            if isinstance(item, Packet):
                packets.append(item)
            elif answer is None:
                answer = Answer(item.status, item.head.reason, item.head.headers, Body(item.body))
        if asked.method == "DESCRIBE" and answer is not None and answer.status < 300:
            described = _video(answer.body.content)
        played = _media(described, packets, keep=media) if described is not None and asked.method == "PLAY" else None
        yield Exchange(role, "rtsp", asked, answer, garbage, closes, _took(request, answers), played)


def _turns(passed: Sequence[Passed]) -> Iterator[tuple[Passed, list[Passed]]]:
    """Each request (our client sends one at a time, whole) and what came before the next."""
    places = [place for place, one in enumerate(passed) if one.sent and not one.data.startswith(b"$")]
    for place, behind in zip(places, [*places[1:], len(passed)], strict=True):
        yield passed[place], [one for one in passed[place + 1 : behind] if not one.sent]


def _took(request: Passed, answers: Sequence[Passed]) -> str:
    seconds = answers[0].at - request.at if answers else 0.0
    return "fast" if seconds < 0.1 else "slow" if seconds < 1 else "late"


def _video(body: bytes) -> sdp.Media | None:
    try:
        return sdp.read(body).video()
    except WireError:
        return None


def _media(described: sdp.Media, packets: Sequence[Packet], *, keep: bool) -> Media | None:
    """What played, as far as its first key frame; None if nothing did."""
    finder = FrameFinder(described.codec, described.parameter_sets())
    kept: list[bytes] = []
    for packet in packets:
        if packet.channel % 2:
            continue  # RTCP
        kept.append(packet.data)
        try:
            finder.add(rtp.read_packet(packet.data))
        except WireError:
            continue
        if finder.key is not None:
            break
    if not kept:
        return None
    size = finder.key.size if finder.key is not None and finder.key.size is not None else finder.size
    width, height = (size.width, size.height) if size is not None else (described.width or 640, described.height or 360)
    payload_type = described.payload_type if 0 <= described.payload_type < 128 else 96
    rate = described.frame_rate or _rate(packets)
    return Media(described.codec, Size(width, height), rate, payload_type, tuple(kept) if keep else ())


def _rate(packets: Sequence[Packet]) -> float:
    """Frames a second by the time stamps of the packets (90 kHz for video, RFC 3551); 25 where they are too few."""
    stamps = {int.from_bytes(packet.data[4:8]) for packet in packets if packet.channel % 2 == 0}
    span = (max(stamps) - min(stamps)) / 90_000 if stamps else 0.0
    return round((len(stamps) - 1) / span, 1) if 0.5 < span < 600 else 25.0
