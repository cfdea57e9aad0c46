"""The command `probe`: what it says, in words and in JSON, and what it never says."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from camera_registry.cli import main
from camera_registry.cli.outcome import FAULT, GOOD, MISUSE, CommandError
from camera_registry.cli.probe_target import read_target
from probes.wire import soap_requests
from tests.probes.loopback import PASSWORD, USER, Handler, OnvifDouble, http_answer, listening, read_http, recorded
from tests.servers import gstreamer_rtsp_server

ONVIF = ("GetDeviceInformation", "GetProfiles", "GetStreamUri")


@contextmanager
def in_background(handler: Handler) -> Iterator[int]:
    """Serve from a thread with a loop of its own, because the command has one too."""
    ready, port = threading.Event(), 0
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        nonlocal port
        async with listening(handler) as port:
            ready.set()
            await stop.wait()

    def run() -> None:
        loop.run_until_complete(serve())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


@pytest.fixture(scope="module", autouse=True)
def _requests_written() -> None:
    soap_requests.prepare()


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    return str(file)


def test_a_real_stream_is_explained_and_is_ok(capsys: pytest.CaptureFixture[str], password_file: str):
    with gstreamer_rtsp_server(USER, PASSWORD) as port:
        place = f"rtsp://127.0.0.1:{port}/stream"
        options = ["--user", USER, "--password-file", password_file, "--timeout", "20"]
        assert main(["--lang", "en", "probe", place, *options]) == GOOD
        words = capsys.readouterr().out
        assert main(["probe", place, *options, "--json"]) == GOOD
        told = json.loads(capsys.readouterr().out)
        assert main(["probe", place, "--user", USER, "--json"]) == FAULT
        refused = json.loads(capsys.readouterr().out)
    assert "H264, 640x360" in words
    assert "Status: OK" in words
    assert (told["target"], told["status"], told["reasons"]) == (place, "ok", [])
    (seen,) = told["observations"]
    assert (seen["probe"], seen["ok"], seen["failure"]) == ("rtsp", True, None)
    assert {"codec", "width", "height", "transport", "time_to_first_frame_seconds", "frames"} <= set(seen["facts"])
    assert refused["reasons"] == [{"aspect": "stream", "cause": "auth"}]
    assert refused["observations"][0]["failure"]["kind"] == "auth"
    assert PASSWORD not in words + repr(told)


@pytest.mark.parametrize(
    ("lang", "advice", "wrong"), [("en", "Name the user by --user", "egister"), ("zh", "请用 --user", "凭据")]
)
def test_a_password_that_was_not_given_is_asked_for_and_not_called_refused(
    capsys: pytest.CaptureFixture[str], lang: str, advice: str, wrong: str
):
    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_http(reader)
        writer.write(http_answer(b"", "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"'))

    with in_background(guarded) as port:
        place = f"http://127.0.0.1:{port}/snap.jpg"
        assert main(["--lang", lang, "probe", place]) == FAULT
        words = capsys.readouterr().out
        assert main(["probe", place, "--json"]) == FAULT
        told = json.loads(capsys.readouterr().out)
    assert words.count(advice) == 2, "as the remedy of the verdict and of the chain"
    assert not any(text in words for text in ("30 min", "30 分钟", "refused", "被拒绝", wrong)), words
    assert told["reasons"] == [{"aspect": "picture", "cause": "auth"}]
    assert told["observations"][0]["failure"]["kind"] == "auth"


@pytest.mark.parametrize(("lang", "status", "cause"), [("en", "Down", "Connection refused"), ("zh", "中断", "")])
def test_a_closed_port_is_told_in_both_languages(
    capsys: pytest.CaptureFixture[str], lang: str, status: str, cause: str
):
    with in_background(lambda reader, writer: asyncio.sleep(0)) as port:
        pass
    assert main(["--lang", lang, "probe", f"rtsp://127.0.0.1:{port}/"]) == FAULT
    words = capsys.readouterr().out
    assert status in words
    assert cause in words


def test_each_probe_is_told_when_it_is_over(capsys: pytest.CaptureFixture[str]):
    before: list[str] = []

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):  # the probe of the port asks nothing
            await read_http(reader)
            before.append(capsys.readouterr().out)
            writer.write(http_answer(b"well"))

    with in_background(page) as port:
        arguments = ["--lang", "en", "probe", f"http://127.0.0.1:{port}/", "--probes", "tcp,http"]
        assert main(arguments) == GOOD
    assert "TCP port" in before[0]
    assert "Web page" not in before[0]


def test_a_silent_port_is_a_timeout_within_the_time_given(capsys: pytest.CaptureFixture[str]):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    with in_background(silent) as port:
        assert main(["probe", f"http://127.0.0.1:{port}/snap.jpg", "--timeout", "2", "--json"]) == FAULT
    told = json.loads(capsys.readouterr().out)
    assert told["reasons"] == [{"aspect": "picture", "cause": "timeout"}]
    assert told["observations"][0]["failure"]["stage"] == "answer"


def test_a_host_is_asked_over_onvif_first_and_its_addresses_are_used(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    async def rtsp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            asked.append(head.split("\r\n")[0])
            writer.write(f"RTSP/1.0 404 Not Found\r\n{head.partition('CSeq')[1]}{head.partition('CSeq')[2]}".encode())

    asked: list[str] = []
    with in_background(rtsp) as rtsp_port:
        answers = recorded("agsh_onvif", *ONVIF)
        stream = answers["GetStreamUri"]
        assert isinstance(stream, bytes)
        answers["GetStreamUri"] = stream.replace(b"192.0.2.1", f"192.0.2.1:{rtsp_port}".encode())
        monkeypatch.setenv("CAMERA_REGISTRY_PASSWORD", PASSWORD)
        with in_background(OnvifDouble(answers)) as port:
            assert main(["probe", f"127.0.0.1:{port}", "--user", USER, "--json"]) == FAULT
    told = json.loads(capsys.readouterr().out)
    assert [seen["probe"] for seen in told["observations"]] == ["onvif", "rtsp"], "no picture address was told"
    assert asked[1] == f"DESCRIBE rtsp://127.0.0.1:{rtsp_port}/h264main RTSP/1.0"
    assert {"aspect": "stream", "cause": "no_stream"} in told["reasons"]


def test_a_wrong_password_is_not_also_held_against_a_stream_whose_port_nobody_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CAMERA_REGISTRY_PASSWORD", "another one")
    with in_background(OnvifDouble({})) as port:
        assert main(["probe", f"127.0.0.1:{port}", "--user", USER, "--json"]) == FAULT
    told = json.loads(capsys.readouterr().out)
    assert told["reasons"] == [{"aspect": "control", "cause": "auth"}]
    assert (told["status"], told["broken"]) == ("degraded", "credentials")


def test_the_port_of_a_plain_target_belongs_to_the_only_probe_asked_for(capsys: pytest.CaptureFixture[str]):
    with in_background(lambda reader, writer: asyncio.sleep(0)) as port:
        pass
    for name in ("tcp", "onvif", "rtsp"):
        assert main(["--lang", "en", "probe", f"127.0.0.1:{port}", "--probes", name]) == FAULT
        assert f"port {port}: nothing listens" in capsys.readouterr().out


def test_a_password_in_the_address_is_used_and_never_shown(capsys: pytest.CaptureFixture[str]):
    heard: list[str] = []

    async def picture(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_http(reader)
        heard.append(request.headers.get("authorization", ""))
        writer.write(
            http_answer(b"", "401 Unauthorized", 'WWW-Authenticate: Digest realm="r", nonce="n"', "Connection: close")
        )

    with in_background(picture) as port:
        place = f"http://{USER}:{PASSWORD}%40@127.0.0.1:{port}/snap.jpg"
        for more in ([], ["--json"]):
            assert main(["--lang", "en", "probe", place, *more]) == FAULT
    out = capsys.readouterr()
    assert any(header.startswith("Digest") for header in heard)
    assert PASSWORD not in out.out + out.err
    assert f"http://127.0.0.1:{port}/snap.jpg" in out.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ftp://10.0.0.1/"], "ftp://"),
        (["10.0.0.1:99999"], "port"),
        (["10.0.0.1:eighty"], "port"),
        (["rtsp://"], "no host"),
        (["1:2:3"], "neither"),
        (["[10.0.0.1]:80"], "not an IPv6"),
        (["http://127.0.0.1:1/", "--allow", "10.0.0.0/8"], "--allow"),
        (["127.0.0.1", "--allow", "ten"], "--allow"),
        (["127.0.0.1", "--probes", "onvif,ftp"], "no probe ftp"),
        (["摄像机"], "'摄像机' is neither an IP address nor a host name"),
        (["rtsp://10.0.0.l7/live"], "'10.0.0.l7' is neither an IP address nor a host name"),
        (
            ["127.0.0.1", "--user", "u", "--password-file", "/no/such/file"],
            "it can't be read: No such file or directory",
        ),
    ],
)
def test_what_can_not_be_done_is_said_before_anything_is_sent(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
):
    assert main(["probe", *arguments]) == MISUSE
    assert said in capsys.readouterr().err


def test_a_password_without_a_user_is_a_mistake(capsys: pytest.CaptureFixture[str], password_file: str):
    assert main(["probe", "127.0.0.1", "--password-file", password_file]) == MISUSE
    assert "--user" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "host", "ports", "probes"),
    [
        ("cam.example", "cam.example", {"onvif": 80, "tcp": 80}, ("onvif", "rtsp", "snapshot")),
        ("10.0.0.1:8000", "10.0.0.1", {"onvif": 8000, "tcp": 8000}, ("onvif", "rtsp", "snapshot")),
        ("2001:db8::1", "2001:db8::1", {"onvif": 80, "tcp": 80}, ("onvif", "rtsp", "snapshot")),
        ("[2001:db8::1]:8080", "2001:db8::1", {"onvif": 8080, "tcp": 8080}, ("onvif", "rtsp", "snapshot")),
        ("onvif://h:8899/onvif/x", "h", {"onvif": 8899, "tcp": 8899}, ("onvif",)),
        ("rtsp://h/live?x=1", "h", {"rtsp": 554, "tcp": 554}, ("rtsp",)),
        ("https://[::1]/snap", "::1", {"http": 443, "tcp": 443, "tls": 443}, ("snapshot",)),
    ],
)
def test_every_form_of_a_target_is_understood(text: str, host: str, ports: dict[str, int], probes: tuple[str, ...]):
    named = read_target(text)
    assert (named.host, named.ports, named.probes) == (host, ports, probes)
    assert named.shown == text


def test_user_and_password_are_taken_from_an_address_whatever_they_hold():
    named = read_target("rtsp://admin:p%2F@:x@10.0.0.1:8554/live")
    assert (named.user, named.password) == ("admin", "p/@:x")
    assert named.shown == "rtsp://10.0.0.1:8554/live"
    assert "p/@:x" not in repr(named)


@pytest.mark.parametrize("text", ["", "   ", "http://", "a b", "rtsp://h:0/"])
def test_what_names_nothing_is_refused(text: str):
    with pytest.raises(CommandError):
        read_target(text)
