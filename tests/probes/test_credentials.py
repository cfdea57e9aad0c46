"""However many probes knock at a device, it hears a wrong password at most twice in a window."""

from __future__ import annotations

import asyncio
import logging

import pytest

from camera_registry.model.observation import FailureKind
from camera_registry.model.people import Credential
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
        async def measure(self, picture: bytes, timeout: float, codec: str = "JPEG") -> tuple[dict[str, object], bytes]:
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


def test_a_credential_does_not_show_its_password():
    credential = Credential("c", "u", PASSWORD)
    assert PASSWORD not in repr(credential)
    assert PASSWORD not in repr(Tools(AddressGuard([]), Memory(), credential=lambda name: credential))
