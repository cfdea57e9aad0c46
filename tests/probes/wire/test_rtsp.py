"""RTSP answers and packets as cameras send them, in pieces of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.wire import TooLarge, WireError, sdp
from probes.wire.rtsp import Answer, Packet, Reader, request_uri, session_id, write_request
from tests.probes.wire.refusal import refusal

OK = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession: 12345678;timeout=60\r\nContent-Length: 4\r\n\r\nv=0\n"


def feed(raw: bytes, piece: int = 0) -> list[Answer | Packet]:
    reader = Reader()
    if not piece:
        return reader.feed(raw)
    return [item for start in range(0, len(raw), piece) for item in reader.feed(raw[start : start + piece])]


@pytest.mark.parametrize("piece", [0, 1, 5])
def test_answers_and_packets_come_out_in_order(piece: int):
    items = feed(b"$\x00\x00\x03abc" + OK + b"\r\n$\x01\x00\x00" + OK, piece)
    assert [type(item) for item in items] == [Packet, Answer, Packet, Answer]
    answer = items[1]
    assert isinstance(answer, Answer)
    assert (answer.status, answer.sequence, answer.body, session_id(answer)) == (200, 3, b"v=0\n", "12345678")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"RTSP/1.0 401\r\n\r\n", 401),
        (b"RTSP/1.0 200 OK\n\n", 200),
        (b"\r\n\r\nRTSP/1.0 454 Session Not Found\r\nCSeq:9\r\n\r\n", 454),
        (b"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 2\r\n\r\nxxRTSP/1.0 200 OK\r\n\r\n", 200),
    ],
)
def test_what_cameras_send_is_read(raw: bytes, status: int):
    items = feed(raw)
    assert isinstance(items[0], Answer)
    assert items[0].status == status


@pytest.mark.parametrize(
    "raw", [b"HTTP/1.1 400 Bad\r\n\r\n", b"\x01\x02\x03", b"garbage\r\n\r\n", b"RTSP/1.0 abc\r\n\r\n"]
)
def test_what_is_no_rtsp_says_so(raw: bytes):
    with pytest.raises(WireError):
        feed(raw)


@pytest.mark.parametrize(
    "raw", [b"RTSP/1.0 200 OK\r\nContent-Length: 2000000000\r\n\r\n", b"RTSP/1.0 200 OK\r\nX: " + b"x" * 70_000]
)
def test_more_than_the_limit_is_refused_before_it_is_taken_in(raw: bytes):
    with pytest.raises(TooLarge):
        feed(raw)


@given(st.binary(max_size=300))
def test_any_bytes_give_items_or_a_declared_error(raw: bytes):
    for data in (raw, b"RTSP/1.0 200 OK\r\n" + raw, OK + raw):
        assert refusal(feed, data, 11).isprintable()


@pytest.mark.parametrize("piece", [0, 1, 7])
@pytest.mark.parametrize(
    "garbage", [b"\xff\xfe$", b"a=x:y\r\nm=video\r\n", b"HTTP nonsense\r\n\r\n", b"$" + bytes([9]) + b"\x00\x02xx!!"]
)
def test_what_stands_between_messages_is_passed_over(garbage: bytes, piece: int):
    media = b"$\x00\x00\x0c\x80" + bytes(11)
    items = feed(OK + garbage + OK + media + garbage + media + OK, piece)
    assert [item.status for item in items if isinstance(item, Answer)] == [200] * 3
    assert [item.data for item in items if isinstance(item, Packet) and item.channel == 0] == [media[4:]] * 2


def test_requests_can_not_be_smuggled():
    assert b"\r\nX" not in write_request("DESCRIBE", request_uri("rtsp://h/a\r\nX: y b"), 1)
    with pytest.raises(WireError):
        write_request("SETUP", "rtsp://h/", 1, [("Session", "1\r\nX: y")])


CAMERA_SDP = (
    b"v=0\r\no=- 0 0 IN IP4 10.0.0.9\r\ns=\xc9\xe3\xcf\xf1\xbb\xfa\r\nt=0 0\r\na=control:*\r\n"
    b"m=audio 0 RTP/AVP 8\r\na=control:trackID=2\r\n"
    b"m=video 0 RTP/AVP 96\r\na=framerate:25.000000\r\na=x-dimensions:1280,720\r\na=control:trackID=1\r\n"
    b"a=rtpmap:96 H264/90000\r\na=fmtp:96 profile-level-id=42001F;"
    b"sprop-parameter-sets=Z0LAHtkAoC/5cBEAAAMAAQAAAwA8DxYuSA==,aMuDyyA\r\n"
)


def test_a_description_tells_the_video():
    media = sdp.read(CAMERA_SDP).video()
    assert media is not None
    assert (media.codec, media.control, media.frame_rate, media.width, media.height) == (
        "H264",
        "trackID=1",
        25.0,
        1280,
        720,
    )
    assert [unit[0] & 0x1F for unit in media.parameter_sets()] == [7, 8]


@pytest.mark.parametrize(
    ("base", "control", "expected"),
    [
        ("rtsp://h/live/", "track1", "rtsp://h/live/track1"),
        ("rtsp://h/live", "track1", "rtsp://h/live/track1"),
        ("rtsp://h/live?channel=1&subtype=0", "trackID=0", "rtsp://h/live?channel=1&subtype=0/trackID=0"),
        ("rtsp://h/live", "rtsp://10.0.0.9/live/track1", "rtsp://10.0.0.9/live/track1"),
        ("rtsp://h/live/x", "/other", "rtsp://h/other"),
        ("rtsp://h/live", "*", "rtsp://h/live"),
        ("rtsp://h/live", "", "rtsp://h/live"),
    ],
)
def test_control_addresses_are_resolved_as_devices_mean_them(base: str, control: str, expected: str):
    assert sdp.resolve(base, control) == expected


def read_whole_description(body: bytes) -> None:
    for media in sdp.read(body).media:
        media.parameter_sets()


@given(st.binary(max_size=300))
def test_any_description_is_read_or_a_declared_error(body: bytes):
    long = b"v=0\r\nm=video 0 RTP/AVP " + b"9" * 5000 + b"\r\na=framerate:" + b"9" * 5000
    for data in (body, b"v=0\r\nm=video " + body, CAMERA_SDP + b"a=fmtp:96 " + body, long):
        assert refusal(read_whole_description, data).isprintable()
