"""Devices as they are: each test is a habit that some devices have, and that must not cost them their verdict."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from camera_registry.model.observation import FailureKind
from camera_registry.model.people import Credential
from camera_registry.model.roster import Target
from probes import onvif_round
from probes.base import Tools
from probes.guard import AddressGuard
from probes.memory import Memory, Ration
from tests.certificates import self_signed
from tests.probes.loopback import (
    PASSWORD,
    USER,
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
SET_UP = ("GetNetworkInterfaces", "GetDNS", "GetNTP", "GetHostname", "GetVideoSources", "GetImagingSettings")
AGSH = "agsh_onvif"


async def test_a_full_round_tells_how_a_real_camera_is_set_up():
    device = OnvifDouble(recorded(AGSH, *ALL, *SET_UP, "GetServices"))
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is None
    assert {"mac", "interfaces", "dns", "ntp", "hostname", "services", "video_sources", "imaging"} <= seen.facts.keys()
    assert not any(asked.startswith(("Set", "Create", "Pull", "Subscribe")) for asked in device.asked)


async def test_one_that_answers_how_it_is_set_up_with_faults_takes_nobodys_turn():
    memory = Memory()
    memory.set_ups = Ration(1.0)
    using, polled = tools(memory=memory), {"refresh": 3600}
    refusing = OnvifDouble(recorded(AGSH, *ALL, "GetServices"))
    telling = OnvifDouble(recorded(AGSH, *ALL, *SET_UP, "GetServices"))
    async with listening(refusing) as one, listening(telling) as other:
        first = await probe("onvif", target(onvif=one), polled, using=using)
        asked = len(refusing.asked)
        assert first.failure is None
        assert first.facts["profiles"]
        assert len(first.facts["refused"]) >= 5
        using.memory.set_ups = Ration(1.0)  # a second later
        second = await probe("onvif", target(device="device-2", onvif=other), polled, using=using)
        again = await probe("onvif", target(onvif=one), polled, using=using)
    assert second.facts["mac"]
    assert again.failure is None
    assert len(refusing.asked) == asked + 2, "the time, and what it is"


# SOAP


OLD_FAULT = (
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
    b"<faultcode>s:VersionMismatch</faultcode><faultstring/></s:Fault></s:Body></s:Envelope>"
)


UNKNOWN_NAMESPACE = b"<faultstring>Unknown namespace</faultstring>"


class OldFashioned(OnvifDouble):
    """Knows SOAP 1.1 only, and says so in one of the ways there are."""

    says: bytes = b""
    status = "500 Internal Server Error"

    def answer(self, request: HttpRequest) -> bytes:
        if b"http://www.w3.org/2003/05/soap-envelope" in request.body:
            self.asked.append("1.2")
            return http_answer(self.says, self.status)
        assert request.headers["content-type"].startswith("text/xml")
        assert request.headers["soapaction"].startswith('"http://www.onvif.org/')
        return super().answer(request)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("415 Unsupported Media Type", b""),
        ("500 Error", fault("VersionMismatch", "").replace(b"ter:", b"e:")),
        ("500 Error", OLD_FAULT),
        ("400 Bad Request", b"<html>Content-Type must be text/xml</html>"),
        ("400 Bad Request", b""),
        ("500 Error", OLD_FAULT.replace(b"VersionMismatch", b"Client").replace(b"<faultstring/>", UNKNOWN_NAMESPACE)),
    ],
)
@pytest.mark.parametrize("accepts", [("token",), ("digest",)])
async def test_a_device_that_insists_on_soap_11_is_asked_in_it_from_then_on(accepts, status: str, says: bytes):
    device = OldFashioned(recorded(AGSH, *ALL), accepts=accepts)
    device.status, device.says = status, says
    using = tools()
    async with listening(device) as port:
        first = await probe("onvif", target(onvif=port), {"full": False}, using=using)
        second = await probe("onvif", target(onvif=port), {"full": False}, using=using)
    assert first.failure is None
    assert second.failure is None
    # One question is enough to learn it; where the device does not say so, one unsigned and one signed.
    assert device.asked.count("1.2") == (1 if b"ersion" in says or b"text/xml" in says or "415" in status else 2)
    assert device.refusals == (1 if accepts == ("digest",) else 0)


async def test_a_device_that_drops_the_attempt_in_soap_11_is_asked_in_12_again():
    class Starting(OnvifDouble):
        begun = 0

        async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self.begun == 2:
                return await super().__call__(reader, writer)
            while b"2003/05/soap-envelope" in (await read_http(reader)).body:
                writer.write(http_answer(b"", "500 Starting"))
            self.begun += 1
            return None

    device, using = Starting(recorded(AGSH, *ALL)), tools()
    async with listening(device) as port:
        starting = await probe("onvif", target(onvif=port), {"full": False}, using=using)
        device.begun = 2
        up = await probe("onvif", target(onvif=port), {"full": False}, using=using)
    assert starting.failure is not None
    assert up.failure is None
    assert all(b"2003/05/soap-envelope" in raw for raw in device.raw)


async def test_a_device_that_knows_neither_version_is_told_by_what_it_said_first():
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_http(reader)
            writer.write(http_answer(b"", "415 Unsupported Media Type"))

    async with listening(refuse) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.PROTOCOL


async def test_answers_and_operations_in_other_case_prefix_and_version_are_read():
    answers = recorded(AGSH, *ALL)
    for name, body in answers.items():
        assert isinstance(body, bytes)
        old = body.replace(b"2003/05/soap-envelope", b"1999/99/other").replace(b"tds:", b"zz:").replace(b"trt:", b"yy:")
        answers[name] = old.replace(f"{name}Response".encode(), f"{name}Response".lower().encode())
    async with listening(OnvifDouble(answers)) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is None
    assert seen.facts["model"] == "Mockup Model"
    assert "stream_uri" in seen.facts


# Passwords


class Mute(OnvifDouble):
    """Says 400 and nothing else to whom it does not know."""

    def _refuse(self) -> bytes:
        return http_answer(b"", "400 Bad Request")


async def test_a_bare_400_to_a_wrong_password_is_told_as_that_and_not_tried_again():
    device, using = Mute(recorded(AGSH, *ALL), password="another one"), tools()
    async with listening(device) as port:
        seen = [await probe("onvif", target(onvif=port), using=using) for _ in range(4)]
        unknown = await probe("onvif", target("", onvif=port))
    assert [one.failure.kind for one in (*seen, unknown) if one.failure] == [FailureKind.AUTH] * 5
    assert device.refusals <= 2


# Clocks


def clock(utc: datetime | None, local: datetime | None, zone: str) -> bytes:
    def moment(name: str, at: datetime | None) -> str:
        if at is None:
            return ""
        return (
            f"<{name}><Time><Hour>{at.hour}</Hour><Minute>{at.minute}</Minute><Second>{at.second}</Second></Time>"
            f"<Date><Year>{at.year}</Year><Month>{at.month}</Month><Day>{at.day}</Day></Date></{name}>"
        )

    return (
        "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body><GetSystemDateAndTimeResponse>"
        f"<SystemDateAndTime><TimeZone><TZ>{zone}</TZ></TimeZone>{moment('LocalDateTime', local)}"
        f"{moment('UTCDateTime', utc)}</SystemDateAndTime></GetSystemDateAndTimeResponse></e:Body></e:Envelope>"
    ).encode()


class Zoned(OnvifDouble):
    """Its clock is right, and so is what it checks proofs by; what it *tells* is its local time, eight hours on."""

    tells_utc = True
    tells_local = True

    def answer(self, request: HttpRequest) -> bytes:
        local = datetime.now(UTC) + self.clock + timedelta(hours=8)
        told = clock(local if self.tells_utc else None, local if self.tells_local else None, "CST-8")
        self.answers["GetSystemDateAndTime"] = told
        return super().answer(request)


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(seconds=40), timedelta(seconds=-20)])
async def test_a_clock_that_tells_local_time_for_utc_is_read_by_its_zone_at_once(ahead: timedelta):
    device = Zoned(recorded(AGSH, *ALL), clock=ahead)
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port), {"full": False})
    assert seen.failure is None
    assert device.refusals == 0
    assert float(str(seen.facts["clock_offset_seconds"])) == pytest.approx(ahead.total_seconds(), abs=2)


async def test_one_that_tells_nothing_else_is_signed_for_in_our_own_time_at_the_second_try():
    device = Zoned(recorded(AGSH, *ALL))
    device.tells_local = False
    using = tools()
    async with listening(device) as port:
        first = await probe("onvif", target(onvif=port), {"full": False}, using=using)
        second = await probe("onvif", target(onvif=port), {"full": False}, using=using)
    assert first.failure is None
    assert second.failure is None
    assert device.refusals == 1, "and that is remembered"
    assert abs(float(str(second.facts["clock_offset_seconds"]))) < 3


async def test_a_clock_without_utc_is_read_from_local_time_and_zone():
    device = Zoned(recorded(AGSH, *ALL), clock=timedelta(hours=3))
    device.tells_utc = False
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port), {"full": False})
    assert seen.failure is None
    assert device.refusals == 0
    assert float(str(seen.facts["clock_offset_seconds"])) == pytest.approx(3 * 3600, abs=2)


async def test_a_wrong_password_is_tried_twice_at_most_even_where_the_clock_has_two_readings():
    device = Zoned(recorded(AGSH, *ALL), password="another")
    device.tells_local = False
    using = tools()
    async with listening(device) as port:
        for _ in range(3):
            seen = await probe("onvif", target(onvif=port, rtsp=port, http=port), using=using)
            assert seen.failure is not None
            assert seen.failure.kind is FailureKind.AUTH
    assert device.refusals <= 2


async def test_a_device_that_tells_no_time_is_signed_for_in_ours():
    device = OnvifDouble(recorded(AGSH, *ALL) | {"GetSystemDateAndTime": (500, fault("ActionNotSupported", "no"))})
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port), {"full": False})
    assert seen.failure is None
    assert "clock_offset_seconds" not in seen.facts
    assert "GetSystemDateAndTime" in str(seen.facts["refused"])


# One operation never fails the device


class Guarded(OnvifDouble):
    """Refuses one operation to this user, and from another on the password too; then ``refusals`` begins anew."""

    forbidden = "GetNetworkInterfaces"
    changes_at = ""

    def answer(self, request: HttpRequest) -> bytes:
        if self.password == PASSWORD and self.changes_at and self.changes_at.encode() in request.body:
            self.password, self.refusals = "changed", 0
        if self.forbidden.encode() in request.body and self._authorised(request):
            self.asked.append(self.forbidden)
            return self._refuse()
        return super().answer(request)


GUARDED = pytest.mark.parametrize(
    ("accepts", "one_time"), [(("token",), False), (("digest",), False), (("digest",), True)]
)


@GUARDED
async def test_what_this_user_may_not_ask_is_noted_and_counts_as_no_refused_password(
    accepts: tuple[str, ...], one_time: bool
):
    device = Guarded(recorded(AGSH, *ALL, "GetDNS"), accepts=accepts, one_time=one_time)
    using = tools()
    async with listening(device) as port:
        for _ in range(4):
            seen = await probe("onvif", target(onvif=port), using=using)
            assert seen.failure is None
            assert "GetNetworkInterfaces" in str(seen.facts["refused"])
            assert "dns" in seen.facts, "what comes after it is asked all the same"
    assert device.asked.count("GetNetworkInterfaces") <= 8, "a challenge and a refusal in each round"


@GUARDED
@pytest.mark.parametrize("at", ["GetProfiles", "GetDNS"])
async def test_a_password_changed_while_a_round_is_under_way_is_heard_wrong_at_most_twice(
    accepts: tuple[str, ...], one_time: bool, at: str
):
    device = Guarded(recorded(AGSH, *ALL, "GetDNS"), accepts=accepts)
    device.forbidden = "Nothing"
    using = tools()
    async with listening(device) as port:
        assert (await probe("onvif", target(onvif=port), using=using)).ok
        device.one_time, device.changes_at = one_time, at
        for _ in range(3):
            seen = await probe("onvif", target(onvif=port), using=using)
            assert seen.failure is not None
            assert seen.failure.kind is FailureKind.AUTH
    assert device.refusals <= 2


async def test_a_clock_that_is_set_while_a_round_is_under_way_costs_no_answer():
    class Set(OnvifDouble):
        def answer(self, request: HttpRequest) -> bytes:
            if b"GetProfiles" in request.body:
                self.clock = timedelta(days=1)
            return super().answer(request)

    device = Set(recorded(AGSH, *ALL, "GetDNS"))
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is None
    assert {"profiles", "dns"} <= set(seen.facts)
    assert device.refusals == 1


async def test_an_operation_that_hangs_costs_its_own_answer_and_is_not_asked_again_soon():
    class Stuck(OnvifDouble):
        async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                request = await read_http(reader)
                if b"GetNTP" in request.body:
                    self.asked.append("GetNTP")
                    await asyncio.Event().wait()
                writer.write(self.answer(request))

    device = Stuck(recorded(AGSH, *ALL, *SET_UP))
    using = tools()
    async with listening(device) as port:
        for _ in range(2):
            seen = await probe("onvif", target(onvif=port), using=using, timeout=2)
            assert seen.failure is None
            assert "stream_uri" in seen.facts
    assert device.asked.count("GetNTP") == 1
    assert "hostname" in seen.facts, "the second round goes on where the first one stood"


@pytest.mark.parametrize("operation", ["GetSnapshotUri", "GetDNS", "GetStreamUri"])
async def test_a_connection_cut_at_one_operation_costs_that_operation(operation: str):
    class Crashing(OnvifDouble):
        async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                request = await read_http(reader)
                if operation.encode() in request.body:
                    writer.transport.abort()
                    return
                writer.write(self.answer(request))

    async with listening(Crashing(recorded(AGSH, *ALL, *SET_UP))) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is None
    assert operation in str(seen.facts["refused"])
    assert "hostname" in seen.facts


async def test_a_kept_connection_that_the_device_drops_is_replaced():
    class Dropping(OnvifDouble):
        async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            writer.write(self.answer(await read_http(reader)))
            await writer.drain()

    device = Dropping(recorded(AGSH, *ALL))
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is None
    assert device.connections == len(device.asked)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (b"", None),
        (b"rtsp://192.168.68.111/snap", None),
        (b"ftp://192.168.68.111/snap", None),
        (b"http://192.168.68.111/snap?user=admin&amp;pwd=secret&amp;ch=1", "/snap?ch=1"),
        (b"http://admin:pw@192.168.68.111/snap", "/snap"),
    ],
)
async def test_a_picture_address_is_used_only_if_it_is_one_and_without_its_password(uri: bytes, expected: str | None):
    answers = recorded(AGSH, *ALL)
    body = answers["GetSnapshotUri"]
    assert isinstance(body, bytes)
    answers["GetSnapshotUri"] = re.sub(rb"(Uri>)http[^<]*<", lambda found: found[1] + uri + b"<", body)
    async with listening(OnvifDouble(answers)) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is None
    told = seen.facts.get("snapshot_uri")
    assert (str(told).partition(f":{port}")[2] if told else None) == expected


# Addresses


@pytest.fixture
async def trap():
    """A listener on another loopback address; whoever connects has followed an address that a device told."""
    caught: list[object] = []

    async def catch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caught.append(writer.get_extra_info("peername"))
        writer.close()

    server = await asyncio.start_server(catch, "127.66.66.66", 0)
    yield server.sockets[0].getsockname()[1], caught
    server.close()


@pytest.mark.parametrize(
    "address",
    [
        "http://127.66.66.66:{trap}/onvif/services",
        "http://127.66.66.66:{trap}:{trap}/wrong",
        "http://user:pass@127.66.66.66:{trap}/x",
        "https://127.66.66.66:{trap}/onvif/services",
        "http://127.0.0.1@127.66.66.66:{trap}/x",
        "http://127.66.66.66:{trap}",
        "//127.66.66.66:{trap}/x",
        "/onvif/services",
        "onvif/services",
        "http:///onvif/services",
        "http://[::1]:{trap}/x",
        "http://localhost:{trap}/onvif/services",
        "file:///etc/passwd",
        "not an address",
    ],
)
async def test_addresses_that_a_device_tells_are_asked_on_the_registered_host_and_nowhere_else(trap, address: str):
    trap_port, caught = trap
    told = address.format(trap=trap_port).encode()
    answers = recorded(AGSH, *ALL, "GetServices")
    for name, body in answers.items():
        assert isinstance(body, bytes)
        answers[name] = re.sub(rb">(?:http|rtsp)://192\.168[^<]*<", lambda _: b">" + told + b"<", body)
    device = OnvifDouble(answers)
    using = tools()
    async with listening(device) as port:
        where = target(onvif=port, http=port, rtsp=port)
        seen = await probe("onvif", where, using=using)
        assert seen.failure is None
        assert "profiles" in seen.facts
        for name, other in (("snapshot_uri", "snapshot"), ("stream_uri", "rtsp")):
            if name in seen.facts:
                assert re.search(f"//127.0.0.1:({port}|{trap_port})/", str(seen.facts[name]))
                await probe(other, where, {name: seen.facts[name]}, using=using, timeout=0.5)
        await probe("recording", where, using=using, timeout=2)
    assert caught == []


async def test_a_device_on_ipv6_is_asked_and_told_on_its_own_literal_address():
    device = OnvifDouble(recorded(AGSH, *ALL, "GetServices"))
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await device(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.close()

    server = await asyncio.start_server(serve, "::1", 0)
    port = server.sockets[0].getsockname()[1]
    for name in ("GetStreamUri", "GetServices"):
        body = device.answers[name]
        assert isinstance(body, bytes)
        device.answers[name] = body.replace(b"192.168.68.111", b"[fe80::1]")
    seen = await probe("onvif", Target("device-1", "::1", {"onvif": port}, "cred"))
    server.close()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert seen.failure is None
    assert seen.facts["stream_uri"] == "rtsp://[::1]:554/h264main"


# User names and passwords

AWKWARD = [
    'a"b',
    "a:b",
    "a'b",
    "a&b<c>",
    "back\\slash",
    "naïve",
    "管理员",
    "🎥",
    "a b ",
    "%41",
    "@#/?%:",
    "]]>",
    "ʼ`$(id)",
]


@pytest.mark.parametrize("word", AWKWARD)
@pytest.mark.parametrize("accepts", [("token",), ("digest",)])
async def test_user_names_and_passwords_may_hold_any_character(monkeypatch, accepts: tuple[str, ...], word: str):
    user = word.replace(":", ";")  # Basic and Digest can't have a colon in a user name (RFC 7617 and 7616)
    password = f"{word}-{PASSWORD}"
    device = Awkward(recorded(AGSH, *ALL), accepts=accepts, password=password)
    device.user = user
    credential = Credential("cred", user, password)
    using = Tools(AddressGuard(["127.0.0.0/8"]), Memory(), credential={"cred": credential}.get)
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port), {"full": False}, using=using)
    assert seen.failure is None
    assert device.refusals == (1 if accepts == ("digest",) else 0)


class Awkward(OnvifDouble):
    """Checks user and password as their UTF-8 bytes, by lxml and by hand rather than by patterns on text."""

    user = USER

    def _token_is_right(self, body: bytes) -> bool:
        import hashlib
        from base64 import b64decode, b64encode

        from lxml import etree

        told = {etree.QName(one).localname: one.text or "" for one in etree.fromstring(body).iter(etree.Element)}
        raw = b64decode(told["Nonce"]) + told["Created"].encode() + self.password.encode()
        return told["Username"] == self.user and told["Password"] == b64encode(hashlib.sha1(raw).digest()).decode()

    def _authorised(self, request: HttpRequest) -> bool:
        given = request.headers.get("authorization", "")
        if "digest" not in self.accepts or not given.startswith("Digest"):
            return super()._authorised(request)
        import hashlib

        fields = {
            name: re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
            for name, quoted, bare in re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))', given)
        }
        user = fields["username"].encode("latin-1")

        def h(*parts: bytes) -> bytes:
            return hashlib.md5(b":".join(parts)).hexdigest().encode()

        first = h(user, b"camera", self.password.encode())
        second = h(request.method.encode(), fields["uri"].encode())
        middle = [fields[name].encode() for name in ("nonce", "nc", "cnonce", "qop")]
        right = user == self.user.encode() and fields["response"].encode() == h(first, *middle, second)
        return self._judge(right)


# Recorders


class Recorder(OnvifDouble):
    """Many sources; tells each profile's addresses after ``slowness`` seconds."""

    channels = 40
    slowness = 0.0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await read_http(reader)
            if b"Uri" in request.body:
                await asyncio.sleep(self.slowness)
            writer.write(self.answer(request))

    def answer(self, request: HttpRequest) -> bytes:
        listed = "".join(
            f'<Profiles token="p{n}-{s}"><Name>{n}</Name><VideoSourceConfiguration><SourceToken>s{n}</SourceToken>'
            "</VideoSourceConfiguration><VideoEncoderConfiguration><Encoding>H264</Encoding></VideoEncoderConfiguration>"
            "</Profiles>"
            for n in range(1, self.channels + 1)
            for s in (1, 2)
        )
        wrap = "<E xmlns='http://www.w3.org/2003/05/soap-envelope'><Body>{}</Body></E>"
        self.answers["GetProfiles"] = wrap.format(f"<GetProfilesResponse>{listed}</GetProfilesResponse>").encode()
        token = re.search(rb"ProfileToken>([^<]*)<", request.body)
        if token is not None:
            for name, scheme in (("GetStreamUri", "rtsp"), ("GetSnapshotUri", "http")):
                uri = f"{scheme}://10.0.0.1/{token[1].decode()}"
                self.answers[name] = wrap.format(f"<{name}Response><Uri>{uri}</Uri></{name}Response>").encode()
        return super().answer(request)


def sources(facts) -> dict[str, str]:
    return {one["token"]: one.get("stream_uri", "") for one in facts["sources"]}


async def test_a_recorder_is_asked_for_a_few_channels_at_each_run_until_all_are_known():
    device = Recorder(recorded(AGSH, "GetDeviceInformation"))
    using = tools()
    async with listening(device) as port:
        known = []
        for _ in range(6):
            seen = await probe("onvif", target(onvif=port), {"refresh": 3600}, using=using)
            assert seen.failure is None
            known.append(sum(1 for uri in sources(seen.facts).values() if uri))
    assert known[0] < known[1] < known[-1] == 40
    assert device.asked.count("GetProfiles") == 1
    assert sources(seen.facts)["s17"] == "rtsp://127.0.0.1:554/p17-1"
    assert max(device.asked.count(name) for name in ("GetStreamUri", "GetSnapshotUri")) == 40


async def test_a_slow_recorder_is_done_within_the_deadline_and_loses_nothing():
    device = Recorder(recorded(AGSH, "GetDeviceInformation"))
    device.channels, device.slowness = 8, 0.1
    using = tools()
    async with listening(device) as port:
        for _ in range(6):
            seen = await probe("onvif", target(onvif=port), {"refresh": 3600}, using=using, timeout=1.6)
            assert seen.failure is None
    assert all(sources(seen.facts).values())


class Hanging(Recorder):
    """One that does not answer in time where its streams are, the first ``times``."""

    times = 2
    about = b"p1-1"

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await read_http(reader)
            if b"GetStreamUri" in request.body and self.about in request.body and self.times:
                self.asked.append("GetStreamUri")
                self.times -= 1
                await asyncio.Event().wait()
            writer.write(self.answer(request))


@pytest.mark.parametrize("about", [b"p1-1", b"p3-1"], ids=["of the first", "of another"])
async def test_an_address_that_a_run_had_no_time_for_is_asked_for_by_the_next_ones_and_not_in_an_hour(about: bytes):
    device, using = Hanging(recorded(AGSH, "GetDeviceInformation")), tools()
    device.channels, device.about = 4, about
    facts: dict[str, object] = {}
    async with listening(device) as port:
        for timeout in (2, 2, 8):
            seen = await probe("onvif", target(onvif=port), {"refresh": 3600}, using=using, timeout=timeout)
            assert seen.failure is None
            facts |= seen.facts
            assert facts["cut_short"] is ("stream_uri" not in facts), "and what is looked at must not be guessed at"
    assert device.times == 0
    assert facts["stream_uri"] == "rtsp://127.0.0.1:554/p1-1"
    assert all(sources(facts).values())


async def test_a_device_that_never_tells_where_its_streams_are_does_not_hang_every_run(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(onvif_round, "CUT_SHORT", 2)
    device, using = Hanging(recorded(AGSH, "GetDeviceInformation")), tools()
    device.channels, device.times = 1, 100
    async with listening(device) as port:
        for _ in range(4):
            seen = await probe("onvif", target(onvif=port), {"refresh": 3600}, using=using, timeout=2)
            assert seen.failure is None
    assert seen.facts.get("cut_short", False) is False, "that is its silence, and no want of time"
    assert device.asked.count("GetStreamUri") == 2
    assert device.asked.count("GetSnapshotUri") == 1, "it is asked for what comes after that"


async def test_what_a_recorder_does_not_support_for_one_channel_is_not_asked_for_the_others():
    class WithoutPictures(Recorder):
        def answer(self, request: HttpRequest) -> bytes:
            if b"GetSnapshotUri" in request.body:
                self.asked.append("GetSnapshotUri")
                return http_answer(fault("ActionNotSupported", "Optional Action Not Implemented"), "500 Error")
            return super().answer(request)

    device = WithoutPictures(recorded(AGSH, "GetDeviceInformation"))
    using = tools()
    async with listening(device) as port:
        for _ in range(6):
            seen = await probe("onvif", target(onvif=port), {"refresh": 3600}, using=using)
    assert all(sources(seen.facts).values())
    assert device.asked.count("GetSnapshotUri") <= 6


async def test_addresses_that_are_asked_for_anew_are_known_meanwhile():
    device = Recorder(recorded(AGSH, "GetDeviceInformation"))
    using = tools()
    async with listening(device) as port:
        for _ in range(6):
            await probe("onvif", target(onvif=port), {"refresh": 3600}, using=using)
        seen = await probe("onvif", target(onvif=port), {"refresh": 0}, using=using)
    assert all(sources(seen.facts).values())


async def test_a_channel_that_is_known_by_its_profile_gets_the_address_of_that_profile():
    device = Recorder(recorded(AGSH, "GetDeviceInformation"))
    device.channels = 3
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port), {"tokens": ["p2-2", "p2-1", "p9-9"]})
    told = [(one["number"], one["profile"], one["stream_uri"].rpartition("/")[2]) for one in seen.facts["sources"]]
    assert told == [(1, "p1-1", "p1-1"), (2, "p2-1", "p2-1"), (2, "p2-2", "p2-2"), (3, "p3-1", "p3-1")]
    assert str(seen.facts["stream_uri"]).endswith("/p2-2"), "the first that somebody names"


async def test_more_sources_than_anybody_has_are_not_read():
    device = Recorder(recorded(AGSH, "GetDeviceInformation"))
    device.channels = 400
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port))
    assert seen.failure is None
    assert len(seen.facts["sources"]) <= 128
    assert len(seen.facts["profiles"]) <= 256


async def test_an_encrypted_device_is_asked_over_tls_at_every_service(tmp_path: Path):
    device = OnvifDouble(recorded(AGSH, *ALL, "GetServices"))
    server = await asyncio.start_server(device, "127.0.0.1", 0, ssl=self_signed(tmp_path))
    port = server.sockets[0].getsockname()[1]
    seen = await probe("onvif", replace(target(onvif=port), tls=True))
    server.close()
    assert seen.failure is None
    assert "stream_uri" in seen.facts


async def test_what_was_refused_once_and_is_answered_now_is_no_longer_told_as_refused():
    device = OnvifDouble(recorded(AGSH, *ALL))
    async with listening(device) as port:
        seen = await probe("onvif", target(onvif=port))
        assert "GetServices" in str(seen.facts["refused"])
        device.answers |= recorded(AGSH, *SET_UP, "GetServices")
        device.answers["GetCertificates"] = device.answers["GetServiceCapabilities"] = device.answers["GetDNS"]
        seen = await probe("onvif", target(onvif=port))
    assert "GetServices" not in str(seen.facts["refused"])


async def test_an_own_user_for_onvif_is_used_there():
    device = OnvifDouble(recorded(AGSH, *ALL))
    where = replace(target("other", onvif=1), credentials={"onvif": "cred"})
    async with listening(device) as port:
        seen = await probe("onvif", replace(where, ports={"onvif": port}), {"full": False})
    assert seen.failure is None
