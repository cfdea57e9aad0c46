"""A recording that is played is a device: it wants its password proven, plays its stream, keeps its closed ports."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from camera_registry.capture import media
from camera_registry.capture.recording import Media, Recording, Size, read
from camera_registry.capture.replay import playing
from camera_registry.cli import playback
from probes.wire import jpeg, rtp, soap_requests
from probes.wire.rtp import FrameFinder

DEVICES = Path(__file__).resolve().parent.parent / "devices"


@pytest.fixture(autouse=True)
def _requests_written() -> None:
    soap_requests.prepare()


@pytest.mark.parametrize(
    ("name", "probe"),
    [
        ("ipycam", "onvif"),
        ("agsh_onvif", "onvif"),
        ("quirks/http_digest_only", "onvif"),
        ("gstreamer_rtsp_server", "rtsp"),
        ("lighttpd_sha256", "snapshot"),
        ("quirks/no_qop", "snapshot"),
    ],
)
def test_a_wrong_password_is_refused(name: str, probe: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(playback, "PASSWORD", "another")
    found = playback.expectation(asyncio.run(playback.play_back(read(DEVICES / f"{name}.json"))))
    assert found["observations"][probe]["failure"]["kind"] == "auth"


@pytest.mark.parametrize("codec", ["H264", "H265", "JPEG"])
def test_a_stream_that_stayed_at_the_site_is_drawn_anew_in_its_size(codec: str):
    finder = FrameFinder(codec)
    frames = media.Frames(Media(codec, Size(1280, 720)))
    for _ in range(2):
        for packet in frames.next(3600):
            finder.add(rtp.read_packet(packet))
    assert (finder.frames, finder.unreadable) == (2, 0)
    assert finder.size is not None
    assert (finder.size.width, finder.size.height) == (1280, 720)


def test_a_kept_picture_loses_what_its_camera_wrote_beside_it():
    plain = media.still(Size(64, 48))
    exif = b"\xff\xe1\x00\x10Exif\x00\x00canary!!"
    comment = b"\xff\xfe\x00\x08canary"
    assert media.bare(plain[:2] + exif + comment + plain[2:]) == plain
    assert jpeg.read(media.bare(plain)).complete
    assert media.bare(b"\xff\xd8\xff\xe1") == b"\xff\xd8\xff\xe1"


async def test_addresses_lead_to_where_the_device_plays_and_closed_ports_stay_closed():
    recording: Recording = read(DEVICES / "ipycam.json")
    async with playing(recording) as play:
        assert play.localise(b"http://192.0.2.1:8080/a") == f"http://127.0.0.1:{play.ports['onvif']}/a".encode()
        stream = f"rtsp://user-1@127.0.0.1:{play.ports['rtsp']}/".encode()
        assert play.localise(b"rtsp://user-1@192.0.2.1:8554/") == stream
        assert play.localise(b"http://192.0.2.17/ 198.51.100.1") == b"http://192.0.2.17/ 198.51.100.1"
        closed = int(play.localise(b"http://192.0.2.1/").rpartition(b":")[2].strip(b"/"))
        assert play.numbers()[closed] == 80
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", closed), timeout=5).close()


async def test_two_devices_play_at_once_and_leave_nothing_behind():
    recording = read(DEVICES / "lighttpd_digest.json")
    async with playing(recording) as one, playing(recording) as two:
        assert one.ports != two.ports
    with pytest.raises(OSError):  # noqa: PT011 - whatever the system calls it
        await asyncio.open_connection("127.0.0.1", one.ports["http"])
