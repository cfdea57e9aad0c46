"""However many probes knock at a device, it hears a wrong password at most twice in a window."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from camera_registry.model.observation import Failure, FailureKind
from camera_registry.model.people import Credential
from camera_registry.model.roster import Target
from camera_registry.rules.plan import leave_alone
from camera_registry.texts import texts
from probes.base import Context, Tools
from probes.credentials import login
from probes.guard import AddressGuard
from probes.memory import Memory
from tests.probes.loopback import (
    PASSWORD,
    OnvifDouble,
    digest_is_right,
    http_answer,
    listening,
    probe,
    read_http,
    recorded,
    target,
    tools,
)


class Guarded:
    """RTSP and HTTP in one: asks for a digest password and refuses every one, counting them."""

    def __init__(self) -> None:
        self.refused = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.refused += "Authorization:" in head
            await asyncio.sleep(0.02)
            protocol = "RTSP/1.0" if "RTSP/1.0" in head else "HTTP/1.1"
            sequence = head.partition("CSeq: ")[2].partition("\r\n")[0]
            challenge = f'WWW-Authenticate: Digest realm="r", nonce="{self.refused}"'
            status = "200 OK" if head.startswith("OPTIONS") else f"401 Unauthorized\r\n{challenge}"
            writer.write(f"{protocol} {status}\r\nCSeq: {sequence}\r\nContent-Length: 0\r\n\r\n".encode())


async def test_all_probes_at_once_share_one_budget():
    guarded, device = Guarded(), OnvifDouble(recorded("agsh_onvif", "GetDeviceInformation"), password="another")
    using = tools()
    async with listening(guarded) as port, listening(device) as onvif_port:
        where = target(onvif=onvif_port, rtsp=port, http=port)
        for _ in range(3):
            runs = [probe("snapshot", where, {"path": f"/{n}"}, using=using) for n in range(4)]
            runs += [probe("rtsp", where, using=using), probe("onvif", where, using=using)]
            for seen in await asyncio.gather(*runs):
                assert seen.failure is not None
                assert seen.failure.kind is FailureKind.AUTH
    assert 1 <= guarded.refused + device.refusals <= 2


async def test_one_protocol_that_refuses_does_not_silence_one_that_works():
    guarded, device = Guarded(), OnvifDouble(recorded("agsh_onvif", "GetDeviceInformation"))
    using = tools()
    async with listening(guarded) as port, listening(device) as onvif_port:
        where = target(onvif=onvif_port, rtsp=port)
        kinds = []
        for _ in range(3):
            assert (await probe("onvif", where, {"full": False}, using=using)).ok
            seen = await probe("rtsp", where, using=using)
            assert seen.failure is not None
            kinds.append(seen.failure.kind)
    assert kinds == [FailureKind.AUTH] * 3
    assert guarded.refused == 1


async def test_a_password_changed_on_a_device_that_worked_is_heard_wrong_at_most_twice_by_all_probes_together():
    device = OnvifDouble(recorded("agsh_onvif", "GetDeviceInformation"))
    changed, refused = False, 0

    async def door(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal refused
        while True:
            request = await read_http(reader)
            given = request.headers.get("authorization", "")
            if given and not changed and digest_is_right(given, "GET", "r", "n"):
                writer.write(http_answer(b"not found", "404 Not Found"))
            else:
                refused += bool(given)
                writer.write(http_answer(b"", "401 Unauthorized", 'WWW-Authenticate: Digest realm="r", nonce="n"'))

    using = tools()
    async with listening(door) as port, listening(device) as onvif_port:
        where = target(onvif=onvif_port, http=port)
        assert (await probe("onvif", where, {"full": False}, using=using)).ok
        seen = await probe("snapshot", where, {"path": "/"}, using=using)
        assert seen.failure is not None
        assert seen.failure.kind is FailureKind.NO_STREAM, "its password is right; it only has no picture"
        device.password, changed = "changed", True
        for _ in range(3):
            for name, options in (("onvif", {"full": False}), ("snapshot", {"path": "/"})):
                seen = await probe(name, where, options, using=using)
                assert seen.failure is not None
    assert seen.failure.kind is FailureKind.AUTH
    assert refused + device.refusals == 2


async def ask_all(where: Target, using: Tools) -> set[FailureKind | None]:
    runs = [probe("snapshot", where, {"path": "/"}, using=using), probe("rtsp", where, using=using)]
    runs.append(probe("onvif", where, {"full": False}, using=using))
    return {seen.failure and seen.failure.kind for seen in await asyncio.gather(*runs)}


def end_the_quiet(using: Tools) -> None:
    """Let the time pass for which the device is left alone."""
    using.memory.of("device-1").trials["cred"].window_end = 0.0


async def test_after_the_quiet_one_run_tries_once_and_a_refusal_begins_the_quiet_anew():
    guarded, device = Guarded(), OnvifDouble(recorded("agsh_onvif", "GetDeviceInformation"), password="another")
    using = tools()
    async with listening(guarded) as port, listening(device) as onvif_port:
        where = target(onvif=onvif_port, rtsp=port, http=port)
        assert await ask_all(where, using) == {FailureKind.AUTH}
        heard = guarded.refused + device.refusals
        for window in range(1, 4):
            end_the_quiet(using)
            for _ in range(3):
                assert await ask_all(where, using) == {FailureKind.AUTH}
            assert guarded.refused + device.refusals == heard + window


@pytest.mark.parametrize("accepts", ["token", "digest"])
async def test_a_password_that_was_mended_on_the_device_works_again_after_the_quiet(accepts: str):
    answers = recorded("agsh_onvif", "GetDeviceInformation")
    device = OnvifDouble(answers, password="another", accepts=(accepts,))
    using = tools()
    async with listening(device) as onvif_port:
        where = target(onvif=onvif_port)
        for _ in range(3):
            assert not (await probe("onvif", where, {"full": False}, using=using)).ok
        assert device.refusals <= 2
        device.password = PASSWORD
        for _ in range(2):  # a device that takes no token at all may hear one first
            end_the_quiet(using)
            mended = (await probe("onvif", where, {"full": False}, using=using)).ok
        assert mended
        assert (await probe("onvif", where, {"full": False}, using=using)).ok


async def test_what_was_left_alone_before_a_restart_is_left_alone_after_it():
    guarded = Guarded()
    using = tools()
    async with listening(guarded) as port:
        where = target(rtsp=port)
        seen = await probe("rtsp", where, using=using)
        known = leave_alone("device-1", seen.failure)
        assert known is not None
        for version, heard in ((1, 0), (2, 1)):
            again = tools(version=version)
            again.memory.of("device-1").left_alone += (known,)
            before = guarded.refused
            seen = await probe("rtsp", where, using=again)
            assert seen.failure is not None
            assert (seen.failure.kind, guarded.refused - before) == (FailureKind.AUTH, heard)
        again = tools()
        again.memory.of("device-1").left_alone += (replace(known, until=known.at),)
        before = guarded.refused
        for _ in range(3):
            await probe("rtsp", where, using=again)
    assert guarded.refused - before == 1


async def test_a_memory_that_ends_with_the_run_promises_nothing():
    guarded = Guarded()
    using = tools(lasting=False)
    async with listening(guarded) as port:
        where = target(rtsp=port, http=port)
        told = [await probe("rtsp", where, using=using), await probe("snapshot", where, {"path": "/"}, using=using)]
    details = [seen.failure.detail for seen in told if seen.failure]
    assert details == [
        "the device refused the user name or password (Digest MD5)",
        "the device refused this password a moment ago, so it is not tried again",
    ]


async def test_people_read_until_when_a_device_is_left_alone_in_their_language_and_by_their_clock():
    noon = datetime(2026, 10, 1, 4, tzinfo=UTC)
    guarded = Guarded()
    async with listening(guarded) as port:
        seen = await probe("rtsp", target(rtsp=port), using=tools(now=lambda: noon))
    assert seen.failure is not None
    assert "left alone until 04:30:00 UTC" in seen.failure.detail
    zh = texts("zh").failure(seen.failure, ZoneInfo("Asia/Shanghai"))
    assert zh == "设备拒绝了用户名或密码（Digest MD5）；为免账号被锁，12:30:00 之前不再尝试"
    old = Failure(seen.failure.kind, seen.failure.stage, "as it was told once")
    assert texts("zh").failure(old) == "as it was told once"


async def test_a_run_that_is_cancelled_while_it_tries_lets_others_try():
    async def hanging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_http(reader)
        assert "authorization" not in request.headers
        writer.write(http_answer(b"", "401 Unauthorized", 'WWW-Authenticate: Digest realm="r", nonce="n"'))
        await reader.read()

    device = OnvifDouble(recorded("agsh_onvif", "GetDeviceInformation"))
    using = tools()
    async with listening(hanging) as port, listening(device) as onvif_port:
        where = target(onvif=onvif_port, http=port)
        late = await probe("snapshot", where, {"path": "/"}, using=using, timeout=0.3)
        seen = await probe("onvif", where, {"full": False}, using=using)
    assert late.failure is not None
    assert late.failure.kind is FailureKind.TIMEOUT
    assert seen.ok


async def test_the_password_stays_out_of_everything_that_can_be_printed(caplog: pytest.LogCaptureFixture):
    using = tools()
    context = Context(using, 0.0)
    found = login(context, target(), "onvif")
    assert PASSWORD not in repr(found)

    class Broken:
        async def measure(
            self, picture: bytes, timeout: float, codec: str = "JPEG", known: object = None
        ) -> tuple[dict[str, object], bytes]:
            raise RuntimeError(f"no luck with {PASSWORD}")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_http(reader)
        writer.write(http_answer(b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x10\x00\x10\x03" + b"\x00" * 20 + b"\xff\xd9"))

    with caplog.at_level(logging.DEBUG):
        async with listening(serve) as port:
            seen = await probe("snapshot", target(http=port), {"path": "/"}, using=tools(pictures=Broken()))
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.INTERNAL
    assert "no luck" in seen.failure.detail
    assert PASSWORD not in repr(seen) + caplog.text


async def test_a_credential_that_is_not_known_here_says_so():
    device = OnvifDouble(recorded("agsh_onvif", "GetDeviceInformation"))
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port), using=tools(None))
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.AUTH
    assert "'cred' is not known here" in seen.failure.detail
    assert seen.failure.wants_credential


def test_a_credential_does_not_show_its_password():
    credential = Credential("c", "u", PASSWORD)
    assert PASSWORD not in repr(credential)
    assert PASSWORD not in repr(Tools(AddressGuard([]), Memory(), credential=lambda name: credential))
