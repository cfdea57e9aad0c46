"""Every codec answers any bytes with a value or with a WireError: 10,000 cases each, and a codec without cases fails.

Half of the cases are what hypothesis makes up, half are honest messages with a few bytes changed, for noise alone never
gets past a codec's first line. `FUZZ_CASES=1000000 make test ARGS="-k fuzz"` looks longer, at other cases each time.
"""

from __future__ import annotations

import os
import pkgutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import probes.wire
from probes.wire import WireError, bits, digest, h264, h265, head, http, jpeg, onvif, rtp, rtsp, sdp, soap, text
from probes.wire.soap import Operation
from tests.hostile import pictures, rtsp_answers, soap_answers
from tests.probes.loopback import DEVICES
from tests.probes.wire.refusal import refusal

GIVEN = os.environ.get("FUZZ_CASES")
CASES = int(GIVEN or 10_000)
TURN = 25
"""Cases of one example of hypothesis: what it makes up itself costs ten times the codec's work."""
SLOW = 1.0
"""Seconds of processor time that no case of a few kilobytes may take."""

Random32 = st.integers(0, 2**32 - 1)


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
    for read in (onvif.read_information, onvif.read_time, onvif.read_profiles, onvif.read_services, onvif.read_uri):
        repr(read(answer)).encode("utf-8")


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
    "rtp": Codec(_rtp, (PACKETS, PACKETS[:90] + b"\x7c\x85" + PACKETS[90:] + b"\x7c\x45xx")),
    "rtsp": Codec(_rtsp, RTSP),
    "sdp": Codec(_sdp, tuple(case.script.sdp.encode() for case in rtsp_answers.CASES)),
    "soap": Codec(_soap, SOAP),
    "soap_requests": Codec(lambda data: None, (b"",)),
    "text": Codec(_text, (b"\xba\xa3\xbf\xb5 &#13;", "海康 \u202e\x1b[31m".encode())),
}
WRITES_ONLY = {"soap_requests"}
"""Reads nothing that a device sends."""


def test_every_codec_is_fuzzed() -> None:
    found = {module.name for module in pkgutil.iter_modules(probes.wire.__path__)}
    assert found == set(CODECS), "a codec in probes/wire/ needs a line in CODECS: what reads it, and honest messages"


@pytest.mark.parametrize("name", [name for name in CODECS if name not in WRITES_ONLY])
def test_a_codec_gives_a_value_or_a_declared_error_for_any_bytes_and_soon(name: str) -> None:
    codec = CODECS[name]
    counted = 0

    @settings(
        max_examples=-(-CASES // TURN),
        derandomize=GIVEN is None,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.binary(max_size=300), Random32)
    def fuzz(made_up: bytes, number: int) -> None:
        nonlocal counted
        random = Random(number)
        honest = random.choice(codec.honest)
        for turn in range(TURN):
            counted += 1
            hold(codec, _spliced(made_up, honest, random) if turn % 2 else _mutated(honest, random))

    fuzz()
    assert counted >= CASES


@pytest.mark.parametrize(
    ("reader", "begin"),
    [(lambda: http.AnswerReader(64 * 1024), b"HTTP/1.1 200 OK\r\n"), (rtsp.Reader, b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n")],
    ids=["http", "rtsp"],
)
def test_an_answer_that_comes_byte_by_byte_is_read_once(
    reader: Callable[[], http.AnswerReader | rtsp.Reader], begin: bytes
) -> None:
    headers = b"".join(b"X-%d: y\r\n" % number for number in range(5_500))
    answer = begin + headers + b"Content-Length: 60000\r\n\r\n" + b"x" * 60_000
    begun = time.process_time()
    one = reader()
    given = [one.feed(answer[place : place + 1]) for place in range(len(answer))]
    assert given[-1]
    assert not any(given[:-1])
    assert time.process_time() - begun < SLOW


def hold(codec: Codec, data: bytes) -> None:
    begun = time.process_time()
    try:
        said = refusal(codec.read, data)
    except Exception as error:
        raise AssertionError(f"{type(error).__name__} for {data!r}") from error
    assert said.isprintable(), data
    assert len(said) < 1_000, data
    took = time.process_time() - begun
    assert took < SLOW, f"{took:.1f} s for {data!r}"


def _spliced(made_up: bytes, honest: bytes, random: Random) -> bytes:
    """What hypothesis made up, alone or somewhere in an honest message."""
    if random.random() < 0.2:
        return made_up
    begin, end = sorted(random.choices(range(len(honest) + 1), k=2))
    return honest[:begin] + made_up[: random.randrange(1, 40)] + honest[end if random.random() < 0.3 else begin :]


def _mutated(honest: bytes, random: Random) -> bytes:
    """An honest message with a few bytes changed, lost, repeated or swapped, or cut off."""
    data = bytearray(honest)
    for _ in range(random.choice((1, 1, 2, 4, 12))):
        if not data:
            break
        place = random.randrange(len(data))
        match random.randrange(6):
            case 0:
                data[place] = random.randrange(256)
            case 1:
                data[place] ^= 1 << random.randrange(8)
            case 2:
                del data[place : place + random.choice((1, 3, 20))]
            case 3:
                data[place:place] = data[place : place + random.choice((1, 8, 60))] * random.choice((1, 2, 30))
            case 4:
                data[place:place] = random.choice(SPICE)
            case _:
                del data[place:]
    return bytes(data)


SPICE = (
    b"\r\n", b"\n\n", b"\x00", b"\xff\xff\xff\xff", b"-1", b"9" * 30, b"&#xD800;", b"&#0;", b"&x;", b"<!--", b"]]>",
    b'"', b"\\", b"%00", b"\xed\xa0\x80", b"\xff\xfe", b"\xe2\x80\xae", b"=", b";" * 50, b"," * 50, b":",
    b"$\x00\xff\xff", b"<a>", b"\x1b[31m", b"1e999", b"+0", b" ", b"\t", b"\x80" * 20, "٣".encode(),
)  # fmt: skip
