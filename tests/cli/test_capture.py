"""The command `capture`: a file that can be sent on, that holds nothing of the site, and that tells the same again."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from camera_registry.capture import recording as recordings
from camera_registry.capture.recording import PASSWORD, USER, Answer, Asked, Exchange, Recording, Size
from camera_registry.capture.replay import playing
from camera_registry.cli import main
from camera_registry.cli.outcome import FAULT, GOOD, MISUSE
from probes.wire import soap_requests
from tests.capture.canary import found

DEVICES = Path(__file__).resolve().parent.parent / "devices"
LOGIN = ["--user", USER, "--lang", "en"]


@contextmanager
def device(recorded: Recording) -> Iterator[dict[str, int]]:
    """A device on loopback, in a thread with a loop of its own, because the command has one too; its ports by role."""
    ready, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()
    ports: dict[str, int] = {}

    async def serve() -> None:
        async with playing(recorded) as play:
            ports.update(play.ports)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: (loop.run_until_complete(serve()), loop.close()))
    thread.start()
    assert ready.wait(10)
    try:
        yield ports
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    soap_requests.prepare()
    monkeypatch.setenv("CAMERA_REGISTRY_PASSWORD", PASSWORD)


def recorded(name: str) -> Recording:
    return recordings.read(DEVICES / f"{name}.json")


def told(made: Recording) -> dict[Asked, tuple[int, Size | None]]:
    """The last answer to each question."""
    answered = [(one.asked, one.answer) for one in made.exchanges if one.answer is not None]
    return {asked: (answer.status, answer.body.picture) for asked, answer in answered}


@pytest.mark.parametrize("name", ["ipycam", "lighttpd_sha256", "quirks/rtsp_stale_nonce", "lighttpd_tls"])
def test_a_recording_of_a_played_recording_asks_and_answers_the_same(name: str, tmp_path: Path):
    first, file = recorded(name), tmp_path / "again.json"
    with device(first) as ports:
        if "onvif" in ports:
            target = f"127.0.0.1:{ports['onvif']}" if "rtsp" in first.probes else f"onvif://127.0.0.1:{ports['onvif']}"
        elif "rtsp" in ports:
            target = f"rtsp://127.0.0.1:{ports['rtsp']}/live/1"
        else:
            scheme = "https" if first.ports["http"].tls else "http"
            target = f"{scheme}://127.0.0.1:{ports['http']}/snapshot.jpg"
        main(["capture", target, *LOGIN, "--output", str(file), "--timeout", "5"])
    again = recordings.read(file)
    assert told(first).items() <= told(again).items(), "whatever else the probes may have learned to ask since"
    assert {port.tls for port in again.ports.values()} == {port.tls for port in first.ports.values()}


def test_the_file_and_what_is_said_hold_no_password_and_no_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "camera.json"
    with device(recorded("ipycam")) as ports:
        options = [*LOGIN, "--output", str(file), "--probes", "onvif,snapshot", "--show-redactions"]
        assert main(["capture", f"127.0.0.1:{ports['onvif']}", *options]) == GOOD
    told = capsys.readouterr()
    made = json.loads(file.read_text(encoding="utf-8"))
    assert not found("127.0.0.1", file.read_text(encoding="utf-8"))
    assert "Passwords, in whatever field and spelling: 0 replaced" in told.out
    assert "tells the same of the device" in told.out
    assert set(made["expect"]["observations"]) == {"onvif", "snapshot"}
    assert made["redactions"]["address"]


def test_without_output_the_recording_alone_is_printed(capsys: pytest.CaptureFixture[str]):
    with device(recorded("lighttpd_digest")) as ports:
        assert main(["capture", f"http://127.0.0.1:{ports['http']}/snapshot.jpg", *LOGIN]) == GOOD
    told = capsys.readouterr()
    assert json.loads(told.out)["exchanges"][-1]["answer"]["body"] == {"picture": [1280, 720], "drawn_anew": True}
    assert "No picture and no stream is in the file" in told.err


def test_a_picture_is_kept_only_when_that_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "camera.json"
    with device(recorded("lighttpd_digest")) as ports:
        target = f"http://127.0.0.1:{ports['http']}/snapshot.jpg"
        assert main(["capture", target, *LOGIN, "--media", "--output", str(file)]) == GOOD
    assert recordings.read(file).exchanges[-1].answer.body.content.startswith(b"\xff\xd8")  # type: ignore[union-attr]
    assert "look at what they show" in capsys.readouterr().out


def test_a_stream_is_kept_as_far_as_its_first_key_frame_when_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("CAMERA_REGISTRY_PASSWORD")
    file = tmp_path / "camera.json"
    with device(recorded("aio_rtsp_toolkit_h265")) as ports:
        target = f"rtsp://127.0.0.1:{ports['rtsp']}/hevc.mp4"
        assert main(["capture", target, "--lang", "en", "--media", "--output", str(file)]) == GOOD
    (media,) = [one.media for one in recordings.read(file).exchanges if one.media is not None]
    assert media.packets
    assert sum(map(len, media.packets)) < 200_000


def test_a_closed_port_and_a_wrong_password_are_recorded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "camera.json"
    monkeypatch.setenv("CAMERA_REGISTRY_PASSWORD", "another-password")
    with device(recorded("lighttpd_digest")) as ports:
        target = f"http://127.0.0.1:{ports['http']}/snapshot.jpg"
        main(["capture", target, *LOGIN, "--output", str(file)])
    made = recordings.read(file)
    assert [one.answer and one.answer.status for one in made.exchanges] == [401, 401]
    assert made.expect["reasons"] == [{"aspect": "picture", "cause": "auth"}]
    assert main(["capture", target, *LOGIN, "--output", str(file)]) in (GOOD, FAULT)
    assert recordings.read(file).expect["reasons"] == [{"aspect": "picture", "cause": "refused"}]


def test_a_file_that_can_not_be_written_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with device(recorded("lighttpd_digest")) as ports:
        target = f"http://127.0.0.1:{ports['http']}/snapshot.jpg"
        assert main(["capture", target, *LOGIN, "--output", str(tmp_path / "no" / "such.json")]) == MISUSE
    assert "--output" in capsys.readouterr().err


def test_a_device_that_answers_otherwise_the_second_time_is_told_to_differ(monkeypatch: pytest.MonkeyPatch):
    from camera_registry.cli import playback

    first = recorded("lighttpd_digest")
    assert not list(playback.told_otherwise(first.expect, first.expect))
    other = replace(first, expect={**first.expect, "status": "down"}).expect
    assert list(playback.told_otherwise(other, first.expect)) == ["status: expected 'down', found 'ok'"]


def over_udp(before: Recording) -> Recording:
    """The same device, would it send media over UDP alone."""
    exchanges: list[Exchange] = []
    agreed = ("transport", "RTP/AVP;unicast;client_port=40000-40001;server_port=6970-6971")
    for one in before.exchanges:
        if one.asked.method != "SETUP" or one.answer is None or one.answer.status != 200:
            exchanges.append(one)
            continue
        kept = tuple(header for header in one.answer.headers if header[0] not in ("transport", "session"))
        over = replace(one.answer, headers=(*kept, agreed, ("session", "1")))
        exchanges += [replace(one, answer=Answer(461, "", kept)), replace(one, answer=over)]
    return replace(before, exchanges=tuple(exchanges))


def test_a_device_that_streams_over_udp_alone_tells_the_same_when_it_is_played_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("CAMERA_REGISTRY_PASSWORD")
    file = tmp_path / "camera.json"
    with device(over_udp(recorded("aio_rtsp_toolkit_h264"))) as ports:
        target = f"rtsp://127.0.0.1:{ports['rtsp']}/main.mp4"
        assert main(["capture", target, "--lang", "en", "--output", str(file)]) == GOOD
    made = recordings.read(file)
    assert made.expect["observations"]["rtsp"]["facts"]["transport"] == "udp"
    assert [(one.media.codec, one.media.size) for one in made.exchanges if one.media] == [("H264", Size(640, 360))]
