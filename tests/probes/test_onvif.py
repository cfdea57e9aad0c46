"""What the onvif probe learns from devices as they are, and what it leaves alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from camera_registry.model.observation import FailureKind, Stage
from probes.memory import Memory
from tests.probes.loopback import (
    PASSWORD,
    HttpRequest,
    OnvifDouble,
    fault,
    http_answer,
    listening,
    probe,
    read_http,
    recorded,
    target,
    tools,
)

ALL = ("GetDeviceInformation", "GetProfiles", "GetStreamUri", "GetSnapshotUri")
BOSCH = "bosch_flexidome_5100i"
AGSH = "agsh_onvif"
FAILING = "quirks/malformed_fault"


async def test_a_real_camera_tells_what_it_is_and_where_its_stream_is():
    device = OnvifDouble(recorded(BOSCH, *ALL, "GetCapabilities"))
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is None
    facts = seen.facts
    assert facts["manufacturer"] == "Bosch"
    assert facts["model"] == "FLEXIDOME indoor 5100i IR"
    assert facts["firmware"] == "8.71.0066"
    assert facts["serial"] == "serial-1"
    profiles = facts["profiles"]
    assert isinstance(profiles, list)
    assert {key: profiles[0][key] for key in ("token", "encoding", "width", "height", "frame_rate")} == {
        "token": "0", "encoding": "H264", "width": 1920, "height": 1080, "frame_rate": 30.0
    }  # fmt: skip
    assert facts["stream_uri"] == "rtsp://127.0.0.1:554/rtsp_tunnel?p=0&line=1&inst=1&vcd=2"
    assert str(facts["snapshot_uri"]).startswith(f"http://127.0.0.1:{port}/")
    assert abs(float(str(facts["clock_offset_seconds"]))) < 3


async def test_another_real_camera_is_read_with_its_services_listed():
    device = OnvifDouble(recorded(AGSH, *ALL, "GetServices"))
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is None
    assert seen.facts["stream_uri"] == "rtsp://127.0.0.1:554/h264main"
    assert "/onvif/services" in device.paths, "the path it told is used on the registered host"


async def test_the_malformed_answer_of_a_real_camera_is_a_protocol_failure():
    malformed = recorded(FAILING, "GetProfiles")["GetProfiles"]
    assert isinstance(malformed, bytes)
    device = OnvifDouble(dict.fromkeys((*ALL, "GetServices"), (500, malformed)))
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.PROTOCOL
    assert "fault reason" in seen.failure.detail
    assert "clock_offset_seconds" in seen.facts, "what was learned before stays"


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(seconds=74), timedelta(days=-1), timedelta(days=400)])
async def test_a_wrong_clock_is_measured_and_does_not_keep_us_out(ahead: timedelta):
    device = OnvifDouble(recorded(AGSH, *ALL), clock=ahead)
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port), {"full": False})
    assert seen.failure is None
    assert device.refusals == 0
    assert float(str(seen.facts["clock_offset_seconds"])) == pytest.approx(ahead.total_seconds(), abs=2)


async def test_a_light_round_asks_only_the_time_and_what_the_device_is():
    device = OnvifDouble(recorded(AGSH, *ALL))
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port), {"full": False})
    assert seen.ok
    assert device.asked == ["GetSystemDateAndTime", "GetDeviceInformation"]
    assert device.connections == 1


async def test_runs_cut_short_on_the_way_to_http_digest_do_not_pass_for_a_refused_password():
    device = OnvifDouble(recorded(AGSH, *ALL), accepts=("digest",))
    hung = asyncio.Event()

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Refuses the token as the device does, and hangs at whatever comes after it."""
        while True:
            request = await read_http(reader)
            if b"UsernameToken" not in request.body and b"GetSystemDateAndTime" not in request.body:
                await hung.wait()
            writer.write(device.answer(request))

    known = tools(memory=Memory())
    async with listening(cut) as port:
        for _ in range(3):
            seen = await probe("onvif", target(onvif=port), using=known, timeout=0.5)
            assert seen.failure is not None
            assert seen.failure.kind is FailureKind.TIMEOUT
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port), using=known)
    assert seen.failure is None


async def test_a_device_that_wants_http_digest_gets_it_and_is_asked_that_way_from_then_on():
    device = OnvifDouble(recorded(AGSH, *ALL), accepts=("digest",))
    using = tools()
    async with listening(device) as port:
        first = await probe("onvif", target(onvif=port), {"full": False}, using=using)
        refusals_then, asked_then = device.refusals, len(device.asked)
        second = await probe("onvif", target(onvif=port), {"full": False}, using=using)
    assert first.ok
    assert second.ok
    assert refusals_then == 1, "the token was tried once"
    assert device.refusals == 1, "and never again"
    assert len(device.asked) - asked_then == 2, "the remembered nonce saves the challenge"


async def test_a_device_that_guards_even_its_clock_is_asked_with_a_password():
    device = OnvifDouble(recorded(AGSH, *ALL), accepts=("digest",), open_operations=())
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port), {"full": False})
    assert seen.ok
    assert device.refusals == 0, "its own challenge told which manner it wants"


class Dated(OnvifDouble):
    """Puts a Date into the head of its answers, ``misstated`` by that much."""

    misstated = timedelta(0)

    def answer(self, request: HttpRequest) -> bytes:
        date = format_datetime(datetime.now(UTC) + self.clock + self.misstated, usegmt=True)
        return super().answer(request).replace(b"\r\n", f"\r\nDate: {date}\r\n".encode(), 1)


async def test_a_date_that_is_wrong_does_not_keep_us_out():
    device = Dated(recorded(AGSH, *ALL), open_operations=(), refusal=(401, "NotAuthorized"))
    device.misstated = timedelta(hours=8)
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port), {"full": False})
    assert seen.failure is None
    assert device.refusals == 1


async def test_a_clock_behind_the_password_is_taken_from_the_head_of_the_refusal():
    ahead = timedelta(hours=5)
    device = Dated(recorded(AGSH, *ALL), clock=ahead, open_operations=(), refusal=(401, "NotAuthorized"))
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port), {"full": False})
    assert seen.failure is None
    assert device.refusals == 0
    assert float(str(seen.facts["clock_offset_seconds"])) == pytest.approx(ahead.total_seconds(), abs=2)


@pytest.mark.parametrize(
    "refusal", [(200, "NotAuthorized"), (400, "NotAuthorized"), (401, "NotAuthorized"), (500, "FailedAuthentication")]
)
async def test_a_refused_password_is_auth_whatever_the_status_says(refusal: tuple[int, str]):
    device = OnvifDouble(recorded(AGSH, *ALL), refusal=refusal, password="another")
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.stage) == (FailureKind.AUTH, Stage.AUTHENTICATE)
    assert "clock_offset_seconds" in seen.facts


@pytest.mark.parametrize("accepts", [("token",), ("digest",), ("token", "digest")])
async def test_a_wrong_password_is_sent_at_most_twice_then_the_device_is_left_alone(accepts: tuple[str, ...]):
    device = OnvifDouble(recorded(AGSH, *ALL), accepts=accepts, password="another")
    using = tools()
    async with listening(device) as port:
        where = target(onvif=port, rtsp=port, http=port)
        for _ in range(4):
            seen = await probe("onvif", where, using=using)
            assert seen.failure is not None
            assert seen.failure.kind is FailureKind.AUTH
    assert 1 <= device.refusals <= 2
    assert "left alone until" in seen.failure.detail


@pytest.mark.parametrize("status", [400, 401])
async def test_after_the_quiet_time_or_with_a_new_password_it_is_tried_again(status: int):
    device = OnvifDouble(recorded(AGSH, *ALL), password="another", refusal=(status, "NotAuthorized"))
    memory = Memory()
    async with listening(device) as port:
        await probe("onvif", target(onvif=port), using=tools(memory=memory, auth_quiet=0.0))
        await probe("onvif", target(onvif=port), using=tools(memory=memory, auth_quiet=1800.0))
        before = device.refusals
        await probe("onvif", target(onvif=port), using=tools(memory=memory))
        assert device.refusals == before, "still quiet"
        seen = await probe("onvif", target(onvif=port), using=tools("another", version=2, memory=memory))
    assert before >= 2
    assert seen.ok


async def test_a_password_that_worked_before_is_tried_once_more_before_it_is_called_wrong():
    device = OnvifDouble(recorded(AGSH, *ALL))
    using = tools()
    async with listening(device) as port:
        assert (await probe("onvif", target(onvif=port), using=using)).ok
        device.password = "changed"
        kinds = []
        for _ in range(3):
            seen = await probe("onvif", target(onvif=port), using=using)
            assert seen.failure is not None
            kinds.append(seen.failure.kind)
    assert kinds == [FailureKind.BUSY, FailureKind.AUTH, FailureKind.AUTH]
    assert device.refusals == 2


async def test_a_device_without_registered_password_says_what_to_do():
    device = OnvifDouble(recorded(AGSH, *ALL))
    async with listening(device) as port:
        seen = await probe("onvif", target("", onvif=port))
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.AUTH
    assert "no credential is registered" in seen.failure.detail
    assert device.refusals == 0


async def test_a_device_that_asks_for_nothing_is_read_without_a_password():
    device = OnvifDouble(recorded(AGSH, *ALL), open_operations=("GetSystemDateAndTime", "GetServices", *ALL))
    async with listening(device) as port:
        seen = await probe("onvif", target("", onvif=port))
    assert seen.ok
    assert seen.facts["model"] == "Mockup Model"


@pytest.mark.parametrize("missing", ALL)
async def test_one_operation_that_fails_never_fails_the_device(missing: str):
    answers = recorded(AGSH, *ALL)
    answers[missing] = (400, fault("ActionNotSupported", "Action not supported"))
    async with listening(OnvifDouble(answers)) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is None
    refused = seen.facts["refused"]
    assert isinstance(refused, dict)
    assert missing in refused


async def test_addresses_of_other_hosts_are_never_told_on():
    answers = recorded(AGSH, *ALL, "GetServices")
    for name in ("GetStreamUri", "GetSnapshotUri"):
        body = answers[name]
        assert isinstance(body, bytes)
        answers[name] = body.replace(b"//192.0.2.1", b"//admin:pw@attacker.example:8554:8554")
    async with listening(OnvifDouble(answers)) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.facts["stream_uri"] == "rtsp://127.0.0.1:8554/h264main"
    assert str(seen.facts["snapshot_uri"]).startswith("http://127.0.0.1:8554/onvif-cgi/jpg/image.cgi?")


def services(media: str) -> bytes:
    body = recorded(AGSH, "GetServices")["GetServices"]
    assert isinstance(body, bytes)
    return body.replace(b"http://192.0.2.1/onvif/services", media.encode())


class Placed(OnvifDouble):
    """Answers only at these paths, 404 elsewhere."""

    served: tuple[str, ...] = ()

    def answer(self, request: HttpRequest) -> bytes:
        answer = super().answer(request)
        return answer if request.path in self.served else http_answer(b"<html>no</html>", "404 Not Found")


async def test_a_service_told_at_a_wrong_path_is_asked_at_the_path_of_the_device():
    device = Placed(recorded(AGSH, *ALL) | {"GetServices": services("http://127.0.0.1:80:80/wrong/place")})
    device.served = ("/onvif/device_service",)
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is None
    assert "stream_uri" in seen.facts
    assert "/wrong/place" in device.paths


async def test_a_service_at_another_port_is_asked_there_on_the_registered_host():
    media = Placed(recorded(AGSH, *ALL))
    media.served = ("/media",)
    async with listening(media) as media_port:
        device = Placed(recorded(AGSH, "GetDeviceInformation"))
        device.served = ("/onvif/device_service",)
        device.answers["GetServices"] = services(f"http://10.99.99.99:{media_port}/media")
        async with listening(device) as port:
            seen = await probe("onvif", target(onvif=port))
    assert seen.failure is None
    assert "profiles" in seen.facts
    assert set(media.paths) == {"/media"}


async def test_the_password_is_nowhere_in_what_is_told():
    answers = recorded(AGSH, *ALL)
    information = answers["GetDeviceInformation"]
    assert isinstance(information, bytes)
    answers["GetDeviceInformation"] = information.replace(b"serial-1", PASSWORD.encode())
    answers["GetProfiles"] = (500, fault("Whatever", f"the password {PASSWORD} is fine"))
    steps: list[object] = []
    device = OnvifDouble(answers)
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port), steps=steps)  # type: ignore[arg-type] # any list will do
    assert seen.facts["serial"] == "***"
    assert PASSWORD not in repr((seen, steps))
    assert not any(PASSWORD.encode() in raw for raw in device.raw), "a digest goes over the wire, not the password"


async def test_a_port_that_speaks_no_onvif_is_a_protocol_failure():
    async def web_page(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n<html>It works</html>")

    async with listening(web_page) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.PROTOCOL
    assert "check port and path" in seen.failure.detail


async def test_profiles_are_asked_for_again_only_when_they_are_old():
    device = OnvifDouble(recorded(AGSH, *ALL))
    known = tools(memory=Memory())
    async with listening(device) as port:
        for refresh in (3600, 3600, 0):
            seen = await probe("onvif", target(onvif=port), {"refresh": refresh}, using=known)
            assert seen.failure is None
            assert "serial" in seen.facts
        assert device.asked.count("GetProfiles") == 2
        await probe("onvif", target(onvif=port), {"refresh": 3600, "full": True}, using=known)
    assert device.asked.count("GetProfiles") == 3
