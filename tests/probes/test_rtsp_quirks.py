"""What stream servers do that no document foresees, and what the rtsp probe makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from camera_registry.model.observation import FailureKind, Observation
from probes import rtsp, rtsp_session
from probes.memory import Memory
from tests.certificates import self_signed
from tests.probes.loopback import listening, probe, target, tools
from tests.probes.rtsp_double import KEY_FRAME, SDP, Camera, Guard, rtp

PLAYED = ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"]
OK = "200 OK\r\n\r\n"


async def play(camera: Camera, timeout: float = 5.0, **options: object) -> Observation:
    async with listening(camera) as port:
        seen = await probe("rtsp", target(rtsp=port), {"frames": True, **options}, timeout=timeout)
        await asyncio.sleep(0)
    return seen


def described(*headers: str, sdp: str = SDP) -> str:
    lines = ("200 OK", *headers, "Content-Type: application/sdp", f"Content-Length: {len(sdp)}", "", sdp)
    return "\r\n".join(lines)


def addresses(camera: Camera) -> list[str]:
    """What SETUP and PLAY were sent to."""
    return [head.split(" ")[1] for head in camera.heads if head.startswith(("SETUP", "PLAY"))]


@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize(
    ("algorithms", "qop", "more"),
    [
        (["MD5"], "auth", ""),
        (["MD5"], "", ""),
        ([""], "", ""),
        ([""], "auth", ""),
        (["MD5"], "auth,auth-int", ""),
        (["MD5"], "auth-int, auth", ""),
        (["MD5"], "auth-int", ""),
        (["md5"], "auth", ", charset=UTF-8"),
        (["MD5-sess"], "auth", ""),
        (["SHA-256"], "auth", ""),
        (["SHA-256"], "", ""),
        (["SHA-256-sess"], "auth", ""),
        (["Basic", "MD5"], "auth", ""),
        (["MD5", "SHA-256"], "auth", ""),
        (["SHA-512-256", "MD5"], "auth", ""),
        (["Basic"], "", ""),
    ],
)
async def test_every_way_to_ask_for_a_password_is_answered_and_the_session_given_back(algorithms, qop, more, once):
    guard = Guard(algorithms, qop, once=once, more=more)
    camera = Camera(KEY_FRAME)
    camera.say = {method: guard(camera.usual) for method in PLAYED[1:]}
    using = tools()
    async with listening(camera) as port:
        for _ in range(3):
            camera.torn_down.clear()
            seen = await probe("rtsp", target(rtsp=port), {"frames": True}, using=using)
            assert seen.failure is None
            assert camera.torn_down_well, "TEARDOWN was refused"
    assert guard.refused == 0


@pytest.mark.parametrize("stale", [False, True])
async def test_an_empty_nonce_is_answered(stale: bool):
    guard = Guard(nonce="", stale=stale)
    camera = Camera(KEY_FRAME)
    camera.say = {method: guard(camera.usual) for method in PLAYED[1:]}
    assert (await play(camera)).failure is None


async def test_a_password_is_sent_once_to_a_device_that_asks_without_end():
    def never(head: str) -> str:
        return f'401 No\r\nWWW-Authenticate: Digest realm="r", nonce="{len(camera.heads)}"\r\n\r\n'

    camera = Camera(DESCRIBE=never)
    seen = await play(camera)
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.AUTH
    assert sum("Authorization" in head for head in camera.heads) == 1


@pytest.mark.parametrize(("status", "nothing"), [("404 Not Found", True), ("410 Gone", True), ("403 Forbidden", False)])
async def test_nothing_where_a_stream_was_looked_for_on_the_off_chance_is_told_as_that(status: str, nothing: bool):
    gone = f"{status}\r\n\r\n"
    asked = await play(Camera(KEY_FRAME, DESCRIBE=gone))
    guessed = await play(Camera(KEY_FRAME, DESCRIBE=gone), guessed=True)
    assert asked.failure is not None
    assert guessed.failure is not None
    assert not asked.failure.guessed
    assert guessed.failure.guessed is nothing


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "TEARDOWN"])
@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "305 Use Proxy"])
async def test_nobody_is_sent_elsewhere(method: str, status: str):
    visited = asyncio.Event()

    async def trap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visited.set()

    async with listening(trap) as port:
        away = f"{status}\r\nLocation: rtsp://127.0.0.1:{port}/x\r\nContent-Base: rtsp://127.0.0.1:{port}/\r\n\r\n"
        camera = Camera(KEY_FRAME, **{method: away})
        seen = await play(camera)
        if method in ("OPTIONS", "TEARDOWN"):
            assert seen.failure is None
        else:
            assert seen.failure is not None
            assert (seen.failure.kind, "not followed" in seen.failure.detail) == (FailureKind.PROTOCOL, True)
    assert not visited.is_set()


@pytest.mark.parametrize(
    ("base", "control", "track", "whole"),
    [
        (None, "track1", "{here}/main/track1", "{here}/main"),
        ("Content-Base: {here}/main/", "track1", "{here}/main/track1", "{here}/main/"),
        ("Content-Base: {here}/other", "track1", "{here}/other/track1", "{here}/other"),
        ("Content-Base: {here}/main?ch=1&q=2", "track1", "{here}/main?ch=1&q=2/track1", "{here}/main?ch=1&q=2"),
        ("Content-Base: rtsp://10.1.2.3:99/in/", "track1", "rtsp://10.1.2.3:99/in/track1", "rtsp://10.1.2.3:99/in/"),
        ("Content-Base: /other/", "track1", "{here}/other/track1", "{here}/other/"),
        ("Content-Base:", "track1", "{here}/main/track1", "{here}/main"),
        ("Content-Location: {here}/there/", "track1", "{here}/there/track1", "{here}/there/"),
        ("content-base:{here}/low/", "track1", "{here}/low/track1", "{here}/low/"),
        ("Content-Base: {here}/main/", "rtsp://10.1.2.3/main/t1", "rtsp://10.1.2.3/main/t1", "{here}/main/"),
        ("Content-Base: {here}/main/", "/t1", "{here}/t1", "{here}/main/"),
        ("Content-Base: {here}/main/", "*", "{here}/main/", "{here}/main/"),
        ("Content-Base: {here}/main/", "", "{here}/main/", "{here}/main/"),
    ],
)
async def test_tracks_are_addressed_as_the_device_means_it(base, control, track, whole):
    camera = Camera(KEY_FRAME)
    async with listening(camera) as port:
        here = f"rtsp://127.0.0.1:{port}"
        sdp = SDP.replace("a=control:track1", f"a=control:{control}")
        camera.say = {"DESCRIBE": described(*([base.format(here=here)] if base is not None else []), sdp=sdp)}
        seen = await probe("rtsp", target(rtsp=port), {"frames": True, "path": "/main"})
    assert seen.failure is None
    assert addresses(camera) == [track.format(here=here), whole.format(here=here)]


async def test_a_session_with_an_address_of_its_own_is_what_tracks_are_relative_to():
    camera = Camera(KEY_FRAME, SDP.replace("a=control:*", "a=control:rtsp://10.1.2.3/all"))
    assert (await play(camera)).failure is None
    assert addresses(camera) == ["rtsp://10.1.2.3/all/track1", "rtsp://10.1.2.3/all"]


async def test_of_several_videos_the_one_that_is_understood_is_played():
    odd = "m=video 0 RTP/AVP 98\r\na=rtpmap:98 VP8/90000\r\na=control:odd\r\n"
    camera = Camera(KEY_FRAME, SDP.replace("m=video", odd + "m=video"))
    seen = await play(camera)
    assert seen.failure is None
    assert addresses(camera)[0].endswith("/track1")


GARBAGE = b"a=left:over\r\n\xff\x00 of a description$ that was longer than announced\r\n"


@pytest.mark.parametrize(
    "greeting",
    [
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n" + GARBAGE,
        b"RTSP/1.0 200 OK\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nCSeq: 77\r\n\r\n",
        b"RTSP/1.0 100 Continue\r\nCSeq: 1\r\n\r\nRTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",
        b"rtsp/1.0 200 ok\ncseq: 1\n\n",
        b"\r\n\r\nRTSP/1.0 200 OK\r\nCSeq:\r\n\t1\r\nPublic: OPTIONS,\r\n DESCRIBE\r\n\r\n",
    ],
)
async def test_greetings_of_every_make_are_understood(greeting: bytes):
    camera = Camera(KEY_FRAME, OPTIONS=greeting)
    seen = await play(camera)
    assert seen.failure is None
    assert camera.heard == PLAYED
    assert camera.connections == 1


async def test_a_device_that_numbers_all_its_answers_alike_is_understood():
    def first(method: str) -> bytes:
        body = described().partition("\r\n")[2] if method == "DESCRIBE" else "Session: 7\r\n\r\n"
        return f"RTSP/1.0 200 OK\r\nCSeq: 1\r\n{body}".encode()

    camera = Camera(KEY_FRAME, **{method: first(method) for method in PLAYED})
    assert (await play(camera)).failure is None
    assert camera.heard == PLAYED


async def test_answers_that_are_said_twice_are_heard_once():
    twice = "\r\n\r\nRTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"
    camera = Camera(KEY_FRAME, OPTIONS=f"200 OK{twice}")
    seen = await play(camera)
    assert seen.failure is None
    assert seen.facts["codec"] == "H264"


async def test_garbage_amid_media_costs_a_frame_and_not_the_stream():
    lost = b"\x12\x34garbage$\x00\xff\xff" * 20
    camera = Camera(lost + KEY_FRAME)
    seen = await play(camera)
    assert seen.failure is None
    assert seen.facts["key_frame"] is True


async def test_garbage_without_end_is_given_up():
    camera = Camera(b"\x12\x34" * 60_000)
    seen = await play(camera)
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.PROTOCOL
    assert "no RTSP" in seen.failure.detail


@pytest.mark.parametrize("status", ["453 Not Enough Bandwidth", "503 Service Unavailable"])
async def test_a_device_that_is_busy_for_a_moment_is_asked_once_more(status: str):
    refusals = iter([f"{status}\r\n\r\n"])
    camera = Camera(KEY_FRAME)
    camera.say = {"SETUP": lambda head: next(refusals, camera.usual(head))}
    assert (await play(camera)).failure is None
    assert camera.heard == ["OPTIONS", "DESCRIBE", "SETUP", "SETUP", "PLAY", "TEARDOWN"]


async def test_a_session_that_is_soon_dropped_hears_of_us_while_it_plays():
    setup = "200 OK\r\nSession: 1;timeout=1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
    camera = Camera(KEY_FRAME, SETUP=setup)

    async def playing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.ensure_future(camera(reader, writer))
        await camera.playing.wait()
        for number in range(4, 40):
            writer.write(rtp(number, b"\x41\x9a", timestamp=3000 * number))
            await asyncio.sleep(0.05)
        await serving

    async with listening(playing) as port:
        seen = await probe("rtsp", target(rtsp=port), {"seconds": 1.3})
        await asyncio.wait_for(camera.torn_down.wait(), 5)
    assert seen.failure is None
    assert (camera.heard[3:5], camera.heard[-1]) == (["PLAY", "OPTIONS"], "TEARDOWN")
    assert "Session: 1\r\n" in camera.heads[4]


async def test_media_on_channels_of_the_device_s_choice_is_heard():
    media = KEY_FRAME.replace(b"$\x00", b"$\x04")
    setup = "200 OK\r\nSession: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=4-5\r\n\r\n"
    assert (await play(Camera(media, SETUP=setup))).facts["key_frame"] is True


async def test_a_stream_by_ipv6_is_asked_for_in_brackets():
    camera = Camera(KEY_FRAME)
    async with listening(camera, host="::1") as port:
        seen = await probe("rtsp", target(rtsp=port, host="::1"), {"frames": True, "path": "/main"})
    assert seen.failure is None
    assert camera.heads[0].startswith(f"OPTIONS rtsp://[::1]:{port}/main RTSP")


@asynccontextmanager
async def deaf_to(method: str) -> AsyncIterator[tuple[Camera, int, asyncio.Event]]:
    """A camera that answers ``method`` only after a while; the event says that it was asked."""
    camera, asked = Camera(KEY_FRAME), asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner = asyncio.StreamReader()
        serving = asyncio.ensure_future(camera(inner, writer))
        while line := await reader.readuntil(b"\r\n\r\n"):
            if line.startswith(method.encode()):
                asked.set()
                await asyncio.sleep(0.2)
            inner.feed_data(line)
            await asyncio.sleep(0)
            if serving.done():
                break

    async with listening(slow) as port:
        yield camera, port, asked


@pytest.mark.parametrize("method", ["SETUP", "PLAY"])
async def test_a_run_cancelled_before_the_answer_takes_down_what_the_answer_made(method: str):
    async with deaf_to(method) as (camera, port, asked):
        run = asyncio.create_task(probe("rtsp", target(rtsp=port), {"frames": True}, timeout=30))
        await asyncio.wait_for(asked.wait(), 10)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        await asyncio.wait_for(camera.torn_down.wait(), 5)
    assert "Session: 4711" in camera.heads[-1]


async def test_a_session_is_given_back_when_the_media_makes_no_sense_or_the_device_errs():
    for say, media in (({}, rtp(1, b"\x7f\x00\x00")), ({"PLAY": "500 Oops\r\n\r\n"}, b"")):
        camera = Camera(media, **say)
        await play(camera, timeout=2.0)
        await asyncio.wait_for(camera.torn_down.wait(), 5)


async def test_runs_of_one_recorder_take_turns_over_all_its_devices():
    memory, playing, most = Memory(), 0, 0

    class Counting(Camera):
        def usual(self, head: str) -> str:
            nonlocal playing, most
            playing += head.startswith("SETUP") - head.startswith("TEARDOWN")
            most = max(most, playing)
            return super().usual(head)

    async with listening(Counting(KEY_FRAME)) as port:
        runs = [
            probe("rtsp", target(rtsp=port, device=f"channel-{number}"), {"frames": True}, using=tools(memory=memory))
            for number in range(6)
        ]
        assert all(seen.ok for seen in await asyncio.gather(*runs))
    assert most == 1


def test_a_goodbye_fits_into_what_is_kept_for_it():
    assert rtsp_session.LEAVE < 0.5


@pytest.mark.parametrize("where", ["told", "registered"])
async def test_a_stream_over_tls_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str):
    camera = Camera(KEY_FRAME)
    async with listening(camera, secure=self_signed(tmp_path)) as port:
        options: dict[str, object] = {"stream_uri": f"rtsps://10.1.2.3:{port}/main"}
        if where == "registered":
            monkeypatch.setitem(rtsp._SCHEMES, "rtsps", port)  # its port is for root
            options = {"path": "/main"}
        seen = await probe("rtsp", target(rtsp=port), {**options, "frames": True})
        await asyncio.wait_for(camera.torn_down.wait(), 5)
    assert seen.failure is None
    assert camera.heads[0].startswith(f"OPTIONS rtsps://127.0.0.1:{port}/main RTSP")
