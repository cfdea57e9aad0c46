"""What a device is asked seldom for (serial, firmware, where its streams are) is learned in the time stated."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest

from camera_registry.model.observation import FailureKind
from camera_registry.settings import Settings
from tests.probes.loopback import OnvifDouble, listening, probe, recorded, target, tools

ALL = ("GetDeviceInformation", "GetProfiles", "GetStreamUri", "GetSnapshotUri")
BOSCH = "bosch_flexidome_5100i"
IDENTITY, REFRESH = 300, 3600
"""Seconds that these settings let them grow old."""
OPTIONS = Settings(probes={"onvif_identity": IDENTITY}).probes.policy().options["onvif"]

Wait = Callable[[float], None]


@pytest.fixture
async def wait(monkeypatch: pytest.MonkeyPatch) -> Wait:
    """Lets seconds pass at once, as the loop tells them."""
    loop = asyncio.get_running_loop()
    real, ahead = loop.time, [0.0]
    monkeypatch.setattr(loop, "time", lambda: real() + ahead[0])

    def passed(seconds: float) -> None:
        ahead[0] += seconds

    return passed


def camera(serial: str = "", firmware: str = "", stream: str = "") -> dict[str, bytes | tuple[int, bytes]]:
    """What a real camera answers, with words of its own in it."""
    answers = recorded(BOSCH, *ALL)
    for operation, element, put in (
        ("GetDeviceInformation", "SerialNumber", serial),
        ("GetDeviceInformation", "FirmwareVersion", firmware),
        ("GetStreamUri", "Uri", stream),
    ):
        body = answers[operation]
        assert isinstance(body, bytes)
        if put:
            answers[operation], found = re.subn(
                rf"(<(?:\w+:)?{element}\b[^>]*>)[^<]*".encode(), rf"\g<1>{put}".encode(), body
            )
            assert found
    return answers


def test_who_a_device_is_is_asked_each_time_unless_the_settings_say_otherwise() -> None:
    assert (OPTIONS["identity"], OPTIONS["refresh"]) == (IDENTITY, REFRESH)
    assert Settings().probes.policy().options["onvif"]["identity"] == 0


async def test_another_serial_and_another_firmware_are_found_once_identity_is_old_and_not_asked_for_before(
    wait: Wait,
) -> None:
    device, using = OnvifDouble(camera()), tools()
    async with listening(device) as port:
        await probe("onvif", target(onvif=port), OPTIONS, using=using)
        device.answers = camera("another", "9.9")
        for _ in range(4):
            wait(60)
            seen = await probe("onvif", target(onvif=port), OPTIONS, using=using)
            assert "clock_offset_seconds" in seen.facts, "the time is told by each run"
            assert "serial" not in seen.facts
        wait(60)
        later = (await probe("onvif", target(onvif=port), OPTIONS, using=using)).facts
        assert device.asked.count("GetDeviceInformation") == 2
        # Nobody believes it at the first word, so it is asked for more of them as soon as a run is made.
        for _ in range(4):
            wait(10)
            await probe("onvif", target(onvif=port), OPTIONS, using=using)
    assert device.asked.count("GetDeviceInformation") == 4
    assert (later["serial"], later["firmware"]) == ("another", "9.9")


async def test_after_a_restart_who_the_device_is_is_asked_by_the_first_run(wait: Wait) -> None:
    device = OnvifDouble(camera())
    async with listening(device) as port:
        await probe("onvif", target(onvif=port), OPTIONS, using=tools())
        device.answers = camera("another", "9.9")
        wait(5)
        told = OPTIONS | {"told": True}
        later = (await probe("onvif", target(onvif=port), told, using=tools())).facts
    assert (later["serial"], later["firmware"]) == ("another", "9.9")


async def test_a_password_that_stops_working_is_found_once_identity_is_old_and_at_once_after_a_restart(
    wait: Wait,
) -> None:
    device, using = OnvifDouble(camera()), tools()
    found: list[FailureKind | None] = []
    async with listening(device) as port:
        for _ in range(8):
            seen = await probe("onvif", target(onvif=port), OPTIONS, using=using)
            found.append(seen.failure.kind if seen.failure is not None else None)
            device.password = "changed"
            wait(60)
        again = await probe("onvif", target(onvif=port), OPTIONS | {"told": True}, using=tools())
    # One that worked is tried once more before it is called wrong, and by the very next run.
    assert found == [*[None] * 5, FailureKind.BUSY, FailureKind.AUTH, FailureKind.AUTH]
    assert again.failure is not None
    assert again.failure.kind is FailureKind.AUTH


async def test_a_device_that_does_not_tell_the_time_is_asked_who_it_is_by_each_run(wait: Wait) -> None:
    device, using = OnvifDouble(camera()), tools()
    async with listening(device) as port:
        await probe("onvif", target(onvif=port), OPTIONS, using=using)
        device.answers["GetSystemDateAndTime"] = (500, b"")
        for _ in range(2):
            wait(60)
            seen = await probe("onvif", target(onvif=port), OPTIONS, using=using)
            assert "serial" in seen.facts, seen
        # Refused meanwhile, it is not taken to be known as soon as it tells the time again.
        device.password = "changed"
        assert (await probe("onvif", target(onvif=port), OPTIONS, using=using)).failure is not None
        del device.answers["GetSystemDateAndTime"]
        assert (await probe("onvif", target(onvif=port), OPTIONS, using=using)).failure is not None


async def test_what_was_told_before_a_restart_is_asked_for_again_at_a_time_of_each_device_within_the_hour(
    wait: Wait,
) -> None:
    device = OnvifDouble(camera(stream="rtsp://127.0.0.1/moved"))
    using, places = tools(), []
    async with listening(device) as port:
        for name in ("cam-1", "cam-2", "cam-3"):
            asked = device.asked.count("GetProfiles")
            for minute in range(0, 120, 5):
                seen = await probe("onvif", target(device=name, onvif=port), OPTIONS | {"told": True}, using=using)
                if "stream_uri" in seen.facts:
                    places.append(minute)
                    assert "moved" in str(seen.facts["stream_uri"])
                wait(300)
            assert device.asked.count("GetProfiles") - asked == 2, "once an hour"
    firsts = places[::2]
    assert max(firsts) <= REFRESH / 60
    assert len(set(firsts)) == 3, "not all at once"
    assert all(later - first == REFRESH / 60 for first, later in zip(firsts, places[1::2], strict=True))
