"""Servers that nobody here wrote answer correctly: through `probe`, and through a whole service that polls them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import av
import pytest

from bench.ports import free_ports
from camera_registry.app import App
from camera_registry.cli import main
from camera_registry.model.device import Channel, Device, Kind
from camera_registry.model.health import Aspect, Status
from camera_registry.model.register import Item
from camera_registry.simulator.scene import Look
from camera_registry.simulator.stills import still_of
from camera_registry.store import credentials, register
from probes.wire import soap_requests
from tests.certificates import self_signed
from tests.probes.loopback import PASSWORD, USER, OnvifDouble, listening, recorded
from tests.servers import TOP, gstreamer_rtsp_server
from tests.service.whole import serving, until, write_settings
from tests.third_party import servers

OPEN = ("GetSystemDateAndTime", "GetDeviceInformation", "GetServices", "GetProfiles", "GetStreamUri", "GetSnapshotUri")
WAYS = ("basic", "md5", "sha256", "both")
STREAMS = {"gstreamer": "/stream", "gstreamer_basic": "/stream", "vlc": "/city", "vlc_basic": "/city",
           "toolkit": "/city.mp4"}  # fmt: skip
WANTED = {
    True: {Aspect.REACH, Aspect.STREAM},
    False: {Aspect.REACH, Aspect.CONTROL, Aspect.CLOCK, Aspect.IDENTITY, Aspect.PICTURE},
}
"""What is to be known of a stream, and of what is asked over ONVIF."""


@dataclass(frozen=True)
class Places:
    """The ports where they listen; ``folder`` is what lighttpd serves."""

    gstreamer: int
    gstreamer_basic: int
    vlc: int
    vlc_basic: int
    toolkit: int
    ipycam: int
    lighttpd: int
    lighttpd_tls: int
    behind: int
    folder: Path


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    soap_requests.prepare()
    top = tmp_path_factory.mktemp("third-party")
    folder = top / "served"
    folder.mkdir()
    film = servers.video(folder / "city.mp4")
    photograph(folder, 0)
    self_signed(top)
    (behind,) = free_ports(1)
    with ExitStack() as stack:
        run = stack.enter_context
        clear, secure = run(servers.lighttpd(folder, USER, PASSWORD, top / "camera.pem", behind))
        yield Places(
            gstreamer=run(gstreamer_rtsp_server(USER, PASSWORD)),
            gstreamer_basic=run(gstreamer_rtsp_server(USER, PASSWORD, "basic", 1)),
            vlc=run(servers.vlc_rtsp_server(film)),
            vlc_basic=run(servers.vlc_rtsp_server(film, USER, PASSWORD)),
            toolkit=run(servers.aio_rtsp_server(folder)),
            ipycam=run(servers.ipycam(USER, PASSWORD)),
            lighttpd=clear,
            lighttpd_tls=secure,
            behind=behind,
            folder=folder,
        )


def photograph(folder: Path, number: int) -> None:
    """Put another picture where lighttpd serves it, in one step."""
    fresh = folder / "fresh"
    fresh.write_bytes(still_of(0, Look.NORMAL).picture(f"12:00:{number % 60:02}", "gate", Random(number)))
    fresh.replace(folder / "picture.jpg")


@asynccontextmanager
async def filming(folder: Path) -> AsyncIterator[None]:
    """A camera that takes pictures all the while; the same one again and again would be a frozen one."""

    async def film() -> None:
        for number in range(1000):
            photograph(folder, number)
            await asyncio.sleep(0.3)

    task = asyncio.create_task(film())
    yield
    task.cancel()


@contextmanager
def session_held(port: int) -> Iterator[None]:
    """Somebody else watches a stream of GStreamer's."""
    with av.open(f"rtsp://{USER}:{PASSWORD}@127.0.0.1:{port}/stream", options={"rtsp_transport": "tcp"}):
        yield


@asynccontextmanager
async def soap_behind(places: Places) -> AsyncIterator[OnvifDouble]:
    """The answers of a real camera behind lighttpd, which does the asking for passwords."""
    answers = recorded("agsh_onvif", *OPEN[1:])
    told = answers["GetSnapshotUri"]
    assert isinstance(told, bytes)
    begin, end = told.index(b"http://192."), told.index(b"</tt:Uri>")
    picture = f"https://127.0.0.1:{places.lighttpd_tls}/both/picture.jpg".encode()
    double = OnvifDouble({**answers, "GetSnapshotUri": told[:begin] + picture + told[end:]}, open_operations=OPEN)
    async with listening(double, places.behind):
        yield double


@pytest.fixture
def ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[str, dict[str, Any]]]:
    """`probe`, as people call it: the status, and what each probe found."""

    def call(target: str, *options: str, user: str = USER, password: str = PASSWORD) -> tuple[str, dict[str, Any]]:
        monkeypatch.setenv("CAMERA_REGISTRY_PASSWORD", password)
        main(["probe", target, "--json", "--timeout", "20", *(("--user", user) if user else ()), *options])
        told = capsys.readouterr().out
        assert PASSWORD not in told
        found = json.loads(told)
        return found["status"], {seen["probe"]: seen for seen in found["observations"]}

    return call


def test_gstreamer_is_played_over_tcp_with_digest_and_with_basic(places: Places, ask: Any) -> None:
    for port in (places.gstreamer, places.gstreamer_basic):
        status, found = ask(f"rtsp://127.0.0.1:{port}/stream")
        assert (status, found["rtsp"]["failure"]) == ("ok", None)
        facts = found["rtsp"]["facts"]
        assert (facts["codec"], facts["width"], facts["height"], facts["transport"]) == ("H264", 640, 360, "tcp")
        assert facts["frames"] >= 1


def test_gstreamer_says_that_the_password_is_wrong_and_that_all_its_sessions_are_taken(
    places: Places, ask: Any
) -> None:
    _, found = ask(f"rtsp://127.0.0.1:{places.gstreamer}/stream", password="another one")
    assert found["rtsp"]["failure"]["kind"] == "auth"
    with session_held(places.gstreamer_basic):
        _, found = ask(f"rtsp://127.0.0.1:{places.gstreamer_basic}/stream")
    assert found["rtsp"]["failure"]["kind"] == "busy"


def test_vlc_which_sends_over_udp_alone_is_played(places: Places, ask: Any) -> None:
    for port, user in ((places.vlc, ""), (places.vlc_basic, USER)):
        status, found = ask(f"rtsp://127.0.0.1:{port}/city", user=user, password=PASSWORD if user else "")
        assert (status, found["rtsp"]["failure"]) == ("ok", None)
        facts = found["rtsp"]["facts"]
        assert (facts["codec"], facts["width"], facts["height"], facts["transport"]) == ("H264", *servers.SIZE, "udp")
        assert facts["frames"] >= 1


def test_vlc_says_that_the_password_is_wrong_and_that_there_is_no_such_stream(places: Places, ask: Any) -> None:
    _, found = ask(f"rtsp://127.0.0.1:{places.vlc_basic}/city", password="another one")
    assert found["rtsp"]["failure"]["kind"] == "auth"
    _, found = ask(f"rtsp://127.0.0.1:{places.vlc}/elsewhere", user="", password="")
    assert found["rtsp"]["failure"]["kind"] == "no_stream"


def test_aio_rtsp_toolkit_is_played_and_says_that_there_is_no_such_stream(places: Places, ask: Any) -> None:
    status, found = ask(f"rtsp://127.0.0.1:{places.toolkit}/city.mp4", user="", password="")
    assert (status, found["rtsp"]["failure"]) == ("ok", None)
    facts = found["rtsp"]["facts"]
    assert (facts["codec"], facts["width"], facts["height"], facts["transport"]) == ("H264", *servers.SIZE, "tcp")
    _, found = ask(f"rtsp://127.0.0.1:{places.toolkit}/elsewhere.mp4", user="", password="")
    assert found["rtsp"]["failure"]["kind"] == "no_stream"


@pytest.mark.parametrize("way", ["open", *WAYS])
def test_a_picture_behind_lighttpd_is_fetched_in_the_clear_and_encrypted(places: Places, ask: Any, way: str) -> None:
    for scheme, port in (("http", places.lighttpd), ("https", places.lighttpd_tls)):
        status, found = ask(f"{scheme}://127.0.0.1:{port}/{way}/picture.jpg")
        assert (status, found["snapshot"]["failure"]) == ("ok", None)
        facts = found["snapshot"]["facts"]
        assert (facts["width"], facts["height"], facts["content_type"]) == (640, 360, "image/jpeg")


@pytest.mark.parametrize("way", WAYS)
def test_lighttpd_says_that_the_password_is_wrong(places: Places, ask: Any, way: str) -> None:
    _, found = ask(f"http://127.0.0.1:{places.lighttpd}/{way}/picture.jpg", password="another one")
    assert found["snapshot"]["failure"]["kind"] == "auth"


@pytest.mark.parametrize("way", ["open", *WAYS])
async def test_soap_behind_lighttpd_is_asked(places: Places, ask: Any, way: str) -> None:
    async with soap_behind(places) as double:
        target = f"onvif://127.0.0.1:{places.lighttpd}/{way}/onvif/device_service"
        status, found = await asyncio.to_thread(ask, target)
    assert (status, found["onvif"]["failure"]) == ("ok", None)
    picture = f"https://127.0.0.1:{places.lighttpd_tls}/both/picture.jpg"
    assert found["onvif"]["facts"]["snapshot_uri"] == picture
    assert all(operation.startswith("Get") for operation in double.asked)


def test_ipycam_is_asked_over_onvif_and_its_picture_fetched_from_the_registered_host(places: Places, ask: Any) -> None:
    status, found = ask(f"onvif://127.0.0.1:{places.ipycam}", "--probes", "onvif,snapshot")
    assert (status, found["onvif"]["failure"], found["snapshot"]["failure"]) == ("ok", None, None)
    facts = found["onvif"]["facts"]
    assert (facts["manufacturer"], facts["model"], facts["serial"]) == ("PythonCam", "VirtualCam-1", "PY-000001")
    assert (facts["profiles"][0]["encoding"], facts["profiles"][0]["width"]) == ("H264", 640)
    assert facts["snapshot_uri"] == f"http://127.0.0.1:{places.ipycam}/snapshot.jpg"
    _, found = ask(f"onvif://127.0.0.1:{places.ipycam}", password="another one")
    assert found["onvif"]["failure"]["kind"] == "auth"


@pytest.mark.parametrize(("shift", "offset"), [("+2h", -7200), ("-3d", 259_200)])
def test_a_clock_that_is_off_by_hours_is_measured_and_does_not_keep_us_out(
    places: Places, shift: str, offset: float
) -> None:
    """The third party's clock is right and ours is wrong: the same to the two of them."""
    command = [sys.executable, "-m", "camera_registry", "probe", f"onvif://127.0.0.1:{places.ipycam}", "--json"]
    done = subprocess.run(
        [*servers.faketime(shift), f"CAMERA_REGISTRY_PASSWORD={PASSWORD}", *command, "--user", USER],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    found = json.loads(done.stdout)
    assert found["reasons"] == [{"aspect": "clock", "cause": "clock_drift"}]
    (seen,) = found["observations"]
    assert seen["failure"] is None
    assert seen["facts"]["clock_offset_seconds"] == pytest.approx(offset, abs=10)


async def test_the_engine_polls_them_all_and_finds_them_well(places: Places, tmp_path: Path) -> None:
    camera = Device("", Kind.CAMERA, host="127.0.0.1", credential="login", onvif_port=0, rtsp_port=0, http_port=0)
    streaming = replace(camera, probes=("rtsp",))
    items: list[Item] = [replace(streaming, id=name, rtsp_port=getattr(places, name)) for name in STREAMS]
    items += [Channel(f"{name}-1", name, rtsp_path=path) for name, path in STREAMS.items()]
    asked = replace(camera, probes=("onvif", "snapshot"))
    items += [
        replace(asked, id=way, onvif_port=places.lighttpd, onvif_path=f"/{way}/onvif/device_service")
        for way in ("open", *WAYS)
    ]
    items.append(replace(asked, id="ipycam", onvif_port=places.ipycam))
    items = [replace(item, http_port=item.onvif_port) if isinstance(item, Device) else item for item in items]
    settings = write_settings(tmp_path, more="[poller]\nper_host = 8\n", probes="rtsp_frames = true")
    text = settings.read_text().replace("interval = 2\ntimeout = 1.9", "interval = 4\ntimeout = 3.9")
    settings.write_text(text, encoding="utf-8")
    async with soap_behind(places), filming(places.folder), serving(settings) as app:
        await app.store.write(
            lambda tx: credentials.put(tx, app.vault, "login", USER, PASSWORD, author="test", at=app.now())
        )
        await app.store.write(lambda tx: register.apply(tx, items, author="test", at=app.now()))
        await app.follow()
        devices = [item.id for item in items if isinstance(item, Device)]
        with suppress(TimeoutError):
            await until(lambda: all(well(app, device) for device in devices))
        assert {device: told(app, device) for device in devices if not well(app, device)} == {}


def well(app: App, device: str) -> bool:
    """Whether everything was measured, and nothing is wrong."""
    entry = app.board.get(device)
    return (
        entry is not None
        and entry.status is Status.OK
        and not entry.reasons
        and bool(entry.probes)
        and all(seen.failure is None for seen in entry.probes)
        and {state.subject.aspect for state in entry.states} >= WANTED[device in STREAMS]
    )


def told(app: App, device: str) -> list[str]:
    """What a device lacks, for the reader of a failure."""
    entry = app.board.get(device)
    seen = [f"{seen.probe}: {seen.failure or 'well'}" for seen in entry.probes] if entry else []
    return [*seen, *(f"{reason.aspect} {reason.cause}" for reason in (entry.reasons if entry else ()))]
