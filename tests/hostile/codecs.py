"""This file says of each codec what reads any bytes with it, and which honest messages it can read."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from random import Random
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from probes.wire import (
    WireError,
    bits,
    digest,
    h264,
    h265,
    head,
    http,
    jpeg,
    onvif,
    onvif_clock,
    rtp,
    rtsp,
    sdp,
    soap,
    text,
)
from probes.wire.soap import Operation
from tests.hostile import pictures, rtsp_answers, soap_answers
from tests.probes.loopback import DEVICES
from tests.probes.wire.refusal import refusal


@dataclass(frozen=True)
class Codec:
    """``read`` takes any bytes; ``honest`` are messages that it can read."""

    read: Callable[[bytes], object]
    honest: tuple[bytes, ...]


def _pieces(data: bytes, random: Random) -> Iterable[bytes]:
    """The bytes as a network may cut them."""
    place = 0
    while place < len(data):
        length = random.choice((1, 7, 100, 4096))
        yield data[place : place + length]
        place += length


def _http(data: bytes) -> None:
    reader = http.AnswerReader(64 * 1024)
    for piece in _pieces(data, Random(len(data))):
        if reader.feed(piece):
            break
    answer = reader.end()
    http.read_date(answer.head.get("date"))
    http.write_request("GET", http.request_target(answer.head.get("location")), "h")


def _rtsp(data: bytes) -> None:
    reader = rtsp.Reader()
    for piece in _pieces(data, Random(len(data))):
        for item in reader.feed(piece):
            if isinstance(item, rtsp.Answer):
                rtsp.session_id(item)
                assert item.sequence is None or item.sequence >= 0
                rtsp.write_request("SETUP", rtsp.request_uri(item.head.get("content-base")), 1)
    assert reader.pending.isprintable()


def _sdp(data: bytes) -> None:
    described = sdp.read(data)
    for media in described.media:
        rtp.read_size(media.codec, media.parameter_sets())
        rtsp.request_uri(sdp.resolve("rtsp://127.0.0.1/main?a=b", media.control))
    described.video()


def _rtp(data: bytes) -> None:
    for codec in ("H264", "H265", "JPEG", "MP2T"):
        finder = rtp.FrameFinder(codec)
        for piece in data.split(b"$"):
            try:
                finder.add(rtp.read_packet(piece))
            except WireError:
                continue
        assert finder.size is None or finder.size.width > 0


def _onvif(data: bytes) -> None:
    answer = soap.read_answer(200, data, Operation.INFORMATION)
    for read in (onvif.read_information, onvif.read_profiles, onvif.read_services, onvif.read_uri):
        repr(read(answer)).encode("utf-8")


OTHER_TEXTS = bytes.maketrans(b"0123456789", b"3210987654")


def _shapes(data: bytes) -> None:
    """What is taken from where it stood in an answer of the same shape is what reading it in full gives."""
    for body in (data, data.translate(OTHER_TEXTS)):
        for short, operation, whole in (
            (onvif_clock.clock_in, Operation.TIME, onvif_clock.read_clock),
            (onvif.information_in, Operation.INFORMATION, onvif.read_information),
        ):
            found, expected = _outcome(short, 200, body), _outcome(_in_full(whole, operation), 200, body)
            assert found == expected


def _in_full(read: Callable[[Any], object], operation: Operation) -> Callable[[int, bytes], object]:
    return lambda status, body: read(soap.read_answer(status, body, operation))


def _outcome(read: Callable[[int, bytes], object], status: int, body: bytes) -> object:
    try:
        return read(status, body)
    except soap.SoapError as error:
        return str(error)


def _soap(data: bytes) -> None:
    for status in (200, 400, 401, 500):
        refusal(soap.read_answer, status, data, Operation.INFORMATION)


def _digest(data: bytes) -> None:
    challenges = digest.read_challenges([data.decode("latin-1")])
    best = digest.strongest(challenges)
    if best is not None:
        asked = digest.Request("GET", "/", data)
        digest.authorization(best, "admin", "p", asked, count=1, cnonce="c").encode("latin-1")


def _text(data: bytes) -> None:
    for told in (
        text.clean(text.decode(data)),
        text.clean(data.decode("utf-8", "surrogateescape")),
        text.excerpt(data),
    ):
        assert told.isprintable()
        told.encode("utf-8")


def _bits(data: bytes) -> None:
    reader = bits.BitReader(data)
    for _ in range(10_000):
        reader.unsigned()
        reader.signed()
        reader.flag()


def _module(name: str) -> Any:
    """A codec that is taken when it is asked for: a checkout may be older than this table."""
    return import_module(f"probes.wire.{name}")


def _elements(name: str) -> Callable[[bytes], None]:
    """Everything in a module that reads an element of an ONVIF answer."""

    def read(data: bytes) -> None:
        answer = soap.read_answer(200, data, Operation.INFORMATION)
        module = _module(name)
        for part in dir(module):
            if part.startswith("read_") and part not in ("read_moment", "read_answer"):
                repr(getattr(module, part)(answer)).encode("utf-8")

    return read


def _refusal(data: bytes) -> None:
    told = data.decode("latin-1")
    for status in (200, 401, 500):
        _module("refusal").classify(status, told.split(), told)


def _playback(data: bytes) -> None:
    for codec in ("H264", "H265", "JPEG"):
        playback = _module("playback").Playback(sdp.Media("video", 96, codec), unordered=len(data) % 2 == 0)
        for number, piece in enumerate(data.split(b"$")):
            playback.take(piece, 0.04 * number)
            playback.hear(piece, 0.04 * number)
        assert playback.facts(10.0)["frames"] >= 0


def _reception(data: bytes) -> None:
    reception, sorter = _module("reception").Reception(90_000), _module("reception").Sorter()
    for number, piece in enumerate(data.split(b"$")):
        try:
            packet = rtp.read_packet(piece)
        except WireError:
            continue
        reception.add(packet, 0.04 * number)
        sorter.add(packet)
    assert reception.lost >= 0 <= reception.jitter


def _rtp_jpeg(data: bytes) -> None:
    _module("rtp_jpeg").join(data.split(b"$"), {})


def _ber(data: bytes) -> None:
    ber = _module("ber")
    reader = ber.Reader(data)
    while not reader.done:
        _, content = reader.element()
        refusal(ber.to_oid, content)
        refusal(ber.to_integer, content)
        refusal(ber.Reader(content).integer)


def _snmp(data: bytes) -> None:
    snmp = _module("snmp")
    for read in (snmp.read_community, snmp.read_envelope, snmp.read_pdu, snmp.read_scoped):
        refusal(read, data)


def _icmp(data: bytes) -> None:
    for version in (4, 6):
        _module("icmp").read_reply(version, data)


def _wsdiscovery(data: bytes) -> None:
    wsdiscovery = _module("wsdiscovery")
    told = data.decode("utf-8", "replace")
    wsdiscovery.read_scopes([told])
    wsdiscovery.mac_text(told)
    repr(wsdiscovery.read_matches(data)).encode("utf-8")


def _certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "camera")])
    built = x509.CertificateBuilder(name, name, key.public_key(), 7)
    built = built.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


HEAD = b'HTTP/1.1 401 No\r\nDate: Thu, 26 Nov 2026 22:40:20 GMT\r\nWWW-Authenticate: Digest realm="r", nonce="n"\r\n'
CHALLENGES = (
    b'Digest realm="r\\"x", nonce="n", qop="auth,auth-int", algorithm=SHA-256, Digest realm="r", nonce="n", opaque=""',
    b'Basic realm="r", Digest realm="r", nonce="", stale=TRUE, algorithm=MD5-sess, qop=auth',
)
SOAP = tuple(answer.body for answer in soap_answers.ANSWERS if len(answer.body) < 4_000) + tuple(
    file.read_bytes() for file in sorted(DEVICES.glob("*/*.xml")) if file.stat().st_size < 9_000
)
PACKETS = rtsp_answers.key_frame()
SETS = (
    rtsp_answers.SPS,
    rtsp_answers.PPS,
    bytes.fromhex("420101016000000300900000030000030078a003c08010e58dae4932b59c"),
)
RTSP = tuple(case.script.answer("DESCRIBE /\r\nCSeq: 2") + PACKETS for case in rtsp_answers.CASES)

REPORT = struct.pack("!BBHIIIIII", 0x80, 200, 6, 7, 3_900_000_000, 5, 90_000, 12, 3_400)
SNMP = (
    bytes.fromhex("302602010104067075626c6963a01902014d020100020100300e300c06082b060102010101000500"),
    bytes.fromhex("303e020103301102040102030402030100000401040201030410300e0400020100020100040004000400")
    + bytes.fromhex("30140400040 0a00e02020102020100020100300 2 3000".replace(" ", "")),
)
MATCH = (
    b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Header><RelatesTo>urn:uuid:asked</RelatesTo>'
    b"</e:Header><e:Body><ProbeMatches><ProbeMatch><EndpointReference><Address>urn:uuid:1</Address></EndpointReference>"
    b"<Types>dn:NetworkVideoTransmitter</Types><Scopes>onvif://www.onvif.org/name/a%20b onvif://www.onvif.org/MAC/0012"
    b"</Scopes><XAddrs>http://10.0.0.1/onvif/device_service http://[fe80::1]:80/</XAddrs></ProbeMatch></ProbeMatches>"
    b"</e:Body></e:Envelope>"
)

CODECS: Mapping[str, Codec] = {
    "bits": Codec(_bits, SETS),
    "digest": Codec(_digest, CHALLENGES),
    "h264": Codec(h264.read_size, SETS[:2]),
    "h265": Codec(h265.read_size, SETS[2:]),
    "head": Codec(lambda data: head.read_head(data[: max(0, head.head_end(data))]), (HEAD + b"A:\r\n b\r\n\r\n",)),
    "http": Codec(
        _http,
        (
            HEAD + b"Content-Length: 3\r\n\r\nabc",
            b"HTTP/1.1 100 Continue\r\n\r\n"
            + HEAD
            + b"Transfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: u\r\n\r\n",
        ),
    ),
    "jpeg": Codec(jpeg.read, tuple(one.body for one in pictures.pictures() if 0 < len(one.body) < 9_000)),
    "onvif": Codec(_onvif, SOAP),
    "onvif_clock": Codec(_elements("onvif_clock"), SOAP),
    "rtp": Codec(_rtp, (PACKETS, PACKETS[:90] + b"\x7c\x85" + PACKETS[90:] + b"\x7c\x45xx")),
    "rtsp": Codec(_rtsp, RTSP),
    "sdp": Codec(_sdp, tuple(case.script.sdp.encode() for case in rtsp_answers.CASES)),
    "soap": Codec(_soap, SOAP),
    "soap_shapes": Codec(_shapes, SOAP),
    "text": Codec(_text, (b"\xba\xa3\xbf\xb5 &#13;", "海康 \u202e\x1b[31m".encode())),
    "ber": Codec(_ber, SNMP),
    "certificate": Codec(lambda data: _module("certificate").read(data), (_certificate(),)),
    "icmp": Codec(_icmp, (bytes.fromhex("0000fffd000000020000"), b"E" + bytes(19) + bytes.fromhex("0000ffff00000000"))),
    "onvif_recording": Codec(_elements("onvif_recording"), SOAP),
    "onvif_setup": Codec(_elements("onvif_setup"), SOAP),
    "playback": Codec(_playback, (PACKETS, REPORT + b"$" + PACKETS)),
    "reception": Codec(_reception, (PACKETS,)),
    "refusal": Codec(_refusal, SOAP),
    "rtcp": Codec(lambda data: _module("rtcp").read(data), (REPORT, REPORT + struct.pack("!BBHI", 0x81, 203, 1, 7))),
    "rtp_jpeg": Codec(_rtp_jpeg, (bytes(4) + bytes([1, 60, 40, 30]) + bytes(90), bytes(4) + bytes([65, 255, 4, 4]))),
    "snmp": Codec(_snmp, SNMP),
    "wsdiscovery": Codec(_wsdiscovery, (MATCH,)),
}
WRITE_ONLY = {"allowed", "soap_requests", "usm"}
"""They read nothing that a device sends; ``usm`` proves what ``snmp`` has read."""
