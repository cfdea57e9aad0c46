"""What the rtsp probe says of streams: of a real server's, and of servers that misbehave."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest

from camera_registry.model.observation import FailureKind, Stage
from probes.picture.desk import PictureDesk
from tests.probes.loopback import PASSWORD, USER, digest_is_right, listening, probe, target, tools
from tests.probes.rtsp_double import KEY_FRAME, OTHER_FRAME, SDP, Camera, rtp
from tests.servers import gstreamer_rtsp_server


@pytest.fixture(scope="module")
def stream() -> Iterator[int]:
    """The port of GStreamer's server: rtsp://127.0.0.1:PORT/stream, 640x360."""
    with gstreamer_rtsp_server(USER, PASSWORD) as port:
        yield port


async def test_a_real_stream_is_described_and_played_until_its_first_key_frame(stream: int):
    seen = await probe("rtsp", target(rtsp=stream), {"path": "/stream", "frames": True}, timeout=20)
    assert seen.failure is None
    facts = seen.facts
    assert (facts["codec"], facts["width"], facts["height"], facts["transport"]) == ("H264", 640, 360, "tcp")
    assert facts["frames"] == 1
    assert 0 < float(str(facts["time_to_first_frame_seconds"])) <= seen.took


@pytest.mark.parametrize(
    ("path", "codec", "transport"),
    [("/stream", "H264", "tcp"), ("/udp", "H264", "udp"), ("/h265", "H265", "tcp"), ("/jpeg", "JPEG", "tcp")],
)
async def test_a_real_stream_is_measured_and_looked_at(stream: int, path: str, codec: str, transport: str):
    desk = PictureDesk()
    await desk.start()
    try:
        options = {"path": path, "seconds": 1.5, "picture": True}
        seen = await probe("rtsp", target(rtsp=stream), options, using=tools(pictures=desk), timeout=40)
    finally:
        await desk.close()
    assert seen.failure is None
    facts = seen.facts
    assert (facts["codec"], facts["width"], facts["height"], facts["transport"]) == (codec, 640, 360, transport)
    assert 6 < facts["frame_rate"] < 14
    assert facts["packets_lost"] == 0
    assert abs(facts.get("sender_clock_offset_seconds", 0)) < 2  # its first report may come later
    # Colour bars: half of the picture is brighter than this, whatever codec carried it.
    assert 80 < facts["picture"]["luma_p50"] < 130


async def test_a_real_stream_is_described_without_playing_it(stream: int):
    seen = await probe("rtsp", target(rtsp=stream), {"stream_uri": f"rtsp://192.168.1.64:{stream}/stream"}, timeout=20)
    assert seen.failure is None
    assert seen.facts["codec"] == "H264"
    assert "transport" not in seen.facts


async def test_a_real_server_refuses_a_wrong_password_and_hears_it_once(stream: int):
    using = tools("wrong")
    first = await probe("rtsp", target(rtsp=stream), {"path": "/stream"}, using=using)
    second = await probe("rtsp", target(rtsp=stream), {"path": "/stream"}, using=using)
    for seen in (first, second):
        assert seen.failure is not None
        assert (seen.failure.kind, seen.failure.stage) == (FailureKind.AUTH, Stage.AUTHENTICATE)
    assert second.failure is not None
    assert second.failure.detail.startswith("the password was refused at")


async def test_a_real_server_without_the_stream_is_no_stream(stream: int):
    seen = await probe("rtsp", target(rtsp=stream), {"path": "/nothing"})
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.NO_STREAM


async def test_remembered_nonces_are_given_up_where_each_connection_has_its_own(stream: int):
    using = tools()
    for _ in range(4):
        assert (await probe("rtsp", target(rtsp=stream), {"path": "/stream"}, using=using, timeout=20)).ok


async def test_the_size_of_frames_counts_and_the_session_is_given_back():
    camera = Camera(OTHER_FRAME + KEY_FRAME)
    async with listening(camera) as port:
        seen = await probe("rtsp", target(rtsp=port), {"frames": True})
        await asyncio.wait_for(camera.torn_down.wait(), 5)
    assert seen.failure is None
    assert (seen.facts["width"], seen.facts["height"], seen.facts["frames"]) == (640, 360, 2)
    assert camera.heard == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
    assert "/track1 RTSP" in camera.heads[2], "the video track, not the audio track"
    assert "Session: 4711\r\n" in camera.heads[-1]


@pytest.mark.parametrize(
    ("media", "kind"),
    [
        (b"", FailureKind.NO_MEDIA),
        (b"$\x00\x00\x04abcd" * 20, FailureKind.UNDECODABLE),
        (rtp(1, b"\x7f\x00\x00"), FailureKind.UNDECODABLE),
    ],
)
async def test_a_session_without_a_key_frame_says_why_in_time_and_is_given_back(media: bytes, kind: FailureKind):
    camera = Camera(media)
    async with listening(camera) as port:
        seen = await probe("rtsp", target(rtsp=port), {"frames": True}, timeout=2.5)
        await asyncio.wait_for(camera.torn_down.wait(), 5)
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (kind, Stage.MEDIA)
    assert seen.facts["codec"] == "H264"


async def test_a_stream_whose_key_frame_is_late_is_alive():
    camera = Camera(OTHER_FRAME)
    async with listening(camera) as port:
        seen = await probe("rtsp", target(rtsp=port), {"frames": True}, timeout=2.5)
        await asyncio.wait_for(camera.torn_down.wait(), 5)
    assert seen.failure is None
    assert (seen.facts["frames"], seen.facts["key_frame"]) == (1, False)
    assert "time_to_first_frame_seconds" not in seen.facts


async def test_a_cancelled_run_gives_its_session_back():
    camera = Camera()
    async with listening(camera) as port:
        running = asyncio.create_task(probe("rtsp", target(rtsp=port), {"frames": True}, timeout=30))
        await asyncio.wait_for(camera.playing.wait(), 10)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.wait_for(camera.torn_down.wait(), 5)


@pytest.mark.parametrize(
    ("method", "answer", "kind"),
    [
        ("DESCRIBE", "404 Stream Not Found\r\n\r\n", FailureKind.NO_STREAM),
        ("DESCRIBE", "403 Forbidden\r\n\r\n", FailureKind.AUTH),
        ("DESCRIBE", "503 Service Unavailable\r\n\r\n", FailureKind.BUSY),
        ("DESCRIBE", "302 Moved\r\nLocation: rtsp://127.0.0.1:1/x\r\n\r\n", FailureKind.PROTOCOL),
        ("DESCRIBE", "500 Oops\r\n\r\n", FailureKind.PROTOCOL),
        ("DESCRIBE", "200 OK\r\nContent-Length: 4\r\n\r\n\x00\x01\x02\x03", FailureKind.PROTOCOL),
        ("DESCRIBE", "401 Unauthorized\r\n\r\n", FailureKind.AUTH),
        ("SETUP", "453 Not Enough Bandwidth\r\n\r\n", FailureKind.BUSY),
        ("SETUP", "461 Unsupported transport\r\n\r\n", FailureKind.PROTOCOL),
        ("PLAY", "503 Service Unavailable\r\n\r\n", FailureKind.BUSY),
    ],
)
async def test_what_a_device_refuses_has_a_kind(method: str, answer: str, kind: FailureKind):
    async with listening(Camera(**{method: answer})) as port:
        seen = await probe("rtsp", target(rtsp=port), {"frames": True}, timeout=5)
    assert seen.failure is not None
    assert seen.failure.kind is kind


@pytest.mark.parametrize("answer", ["401 Unauthorized\r\n\r\n", "405 Not Allowed\r\n\r\n", "200 OK\r\n\r\n"])
async def test_any_answer_to_options_is_a_sign_of_life(answer: str):
    async with listening(Camera(OPTIONS=answer)) as port:
        seen = await probe("rtsp", target(rtsp=port))
    assert seen.ok


async def test_a_description_that_is_the_same_says_the_same_and_another_one_is_read():
    camera, using = Camera(), tools()
    async with listening(camera) as port:
        first = await probe("rtsp", target(rtsp=port), using=using)
        again = await probe("rtsp", target(rtsp=port), using=using)
        declared = await probe("rtsp", target(rtsp=port), {"declared": {"encoding": "H264"}}, using=using)
        camera.sdp = SDP.replace("H264/90000", "H265/90000").replace("a=control:track1", "a=framerate:15")
        other = await probe("rtsp", target(rtsp=port), using=using)
        camera.sdp = "v=0\r\ns=-\r\nm=audio 0 RTP/AVP 0\r\n"
        none = await probe("rtsp", target(rtsp=port), using=using)
    assert first.facts == again.facts == {"codec": "H264"}
    assert declared.facts == {"codec": "H264", "declared": {"encoding": "H264"}}
    assert other.facts == {"codec": "H265", "declared_frame_rate": 15.0}
    assert none.failure is not None
    assert none.failure.kind is FailureKind.NO_STREAM
    assert camera.heard == ["OPTIONS", "DESCRIBE"] * 5


async def test_a_description_without_video_is_no_stream():
    sdp = "v=0\r\ns=-\r\nm=audio 0 RTP/AVP 0\r\n"
    async with listening(Camera(sdp=sdp)) as port:
        seen = await probe("rtsp", target(rtsp=port))
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.NO_STREAM


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_digest_is_spoken_in_both_algorithms(algorithm: str):
    def guard(head: str) -> str:
        given = re.search(r"Authorization: (Digest .*)\r\n", head)
        if given and digest_is_right(given[1], "DESCRIBE", "r", "n", algorithm):
            return f"200 OK\r\nContent-Length: {len(SDP)}\r\n\r\n{SDP}"
        return (
            '401 Unauthorized\r\nWWW-Authenticate: Basic realm="r"\r\n'
            f'WWW-Authenticate: Digest realm="r", nonce="n", algorithm={algorithm}\r\n\r\n'
        )

    async with listening(Camera(DESCRIBE=guard)) as port:
        seen = await probe("rtsp", target(rtsp=port))
    assert seen.ok


async def test_a_device_that_closes_after_each_answer_is_asked_again():
    camera = Camera()

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        again = asyncio.StreamReader()
        again.feed_data(head)
        again.feed_eof()
        await camera(again, writer)

    async with listening(once) as port:
        seen = await probe("rtsp", target(rtsp=port))
    assert seen.failure is None
    assert camera.heard == ["OPTIONS", "DESCRIBE"]


async def test_a_web_server_on_the_port_is_a_protocol_failure():
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with listening(web) as port:
        seen = await probe("rtsp", target(rtsp=port))
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.PROTOCOL
    assert "HTTP" in seen.failure.detail
