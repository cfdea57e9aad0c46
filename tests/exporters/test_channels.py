"""Each kind of channel against the real thing: a mail server, an Alertmanager, a syslog server, a chat group's door."""

from __future__ import annotations

import asyncio
import email
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import Message as Letter
from email.policy import default
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bench.ports import free_ports
from camera_registry.channels import AlertmanagerChannel as AlertmanagerSettings
from camera_registry.channels import AnyChannel, ChatChannel, EmailChannel, SyslogChannel
from camera_registry.model.health import Cause
from camera_registry.model.incident import IncidentChange, Scope, Step
from camera_registry.model.notice import Audience, Batch, Notice
from camera_registry.model.people import Crew
from camera_registry.model.register import Register
from camera_registry.model.work_order import OrderChange, OrderState, OrderStep
from camera_registry.rules import notices, order_notices
from camera_registry.texts import texts
from exporters import robots
from exporters.base import DeliveryError, Message
from exporters.catalog import open_channel
from exporters.message import Writer
from exporters.posting import Poster, retry_after
from tests.certificates import self_signed
from tests.exporters.monitoring import Monitoring, alertmanager
from tests.notices import NOON, at, incident, opened, order, resolved, step

ALL = Audience("duty")


def batch(*made: Notice, digest: bool = False, total: int = 0) -> Batch:
    counts = {(one.occasion, one.severity): 1 for one in made}
    return Batch(f"duty/{made[0].key}@1", "duty", made, total or len(made), counts, 1, digest)


def owed(*changes: IncidentChange) -> list[Notice]:
    return notices.owed(changes, [ALL], Register())


def written(*changes: IncidentChange, language: str = "en", **values: Any) -> Message:
    writer = Writer(texts(language), ZoneInfo("Asia/Shanghai"), "http://console:8600")
    return writer.write(batch(*owed(*changes), **values), NOON + timedelta(minutes=3))


async def send(settings: AnyChannel, *messages: Message) -> None:
    channel = open_channel(settings)
    try:
        for message in messages:
            await channel.send(message)
    finally:
        await channel.close()


# Words ----------------------------------------------------------------------------------------------------------------


def test_a_message_says_what_where_since_when_why_and_what_to_do_in_both_languages() -> None:
    english, chinese = written(opened(1)), written(opened(1), language="zh")
    assert english.subject == "[P2] Fault: cam-1: No answer"
    assert "Since: 2026-10-01 12:00:00" in english.lines
    assert texts("en").next(Cause.TIMEOUT) in english.lines
    assert english.lines[-1] == "More: http://console:8600/incidents/1"
    assert chinese.subject.startswith("[P2] 故障：cam-1：")
    assert "开始：2026-10-01 12:00:00" in chinese.lines


def test_several_are_listed_and_a_digest_tells_how_many_there_are_of_each_kind() -> None:
    several = written(opened(1), opened(2))
    assert several.subject == "[P2] 2 notices"
    assert several.lines[0] == "[P2] Fault: cam-1: No answer"
    digest = written(*(opened(n) for n in range(1, 40)), digest=True, total=5000)
    assert digest.subject == "[P2] Digest of 5,000 notices"
    assert "and 4,980 more" in digest.lines
    assert len(digest.lines) < 30


def test_what_a_device_says_of_itself_begins_no_line_of_its_own() -> None:
    message = written(opened(1, detail="x\r\nBcc: eve@example.org\x00\u2028<script>"))
    assert not [line for line in (message.subject, *message.lines) if not line.isprintable()]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", [*Step])
def test_every_occasion_can_be_told(language: str, kind: Step) -> None:
    for audience in (ALL, Audience("duty", after=60), Audience("duty", repeat=60)):
        for notice in notices.owed([step(kind, incident(1), ended=at(60))], [audience], Register()):
            writer = Writer(texts(language), ZoneInfo("UTC"), "http://console")
            assert writer.write(batch(notice), NOON).subject


# E-mail ---------------------------------------------------------------------------------------------------------------


class Mailroom:
    """What a mail server took."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.encrypted: list[bool] = []
        self.refusal = ""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refusal:
            return self.refusal
        assert isinstance(envelope.content, bytes)
        self.letters.append(email.message_from_bytes(envelope.content, policy=default))
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        return "250 taken"


def login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword) -> AuthResult:
    good = data.login == b"registry" and data.password == b"right password"
    return AuthResult(success=good, handled=False)


@pytest.fixture(params=["starttls", "tls"])
async def mail(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Mailroom, dict[str, Any]]]:
    room, context = Mailroom(), self_signed(tmp_path, "localhost")
    implicit = request.param == "tls"

    def connected() -> SMTP:
        if implicit:
            return SMTP(room, authenticator=login, auth_require_tls=False)
        return SMTP(room, authenticator=login, auth_required=True, tls_context=context, require_starttls=True)

    server = await asyncio.get_running_loop().create_server(
        connected, "127.0.0.1", 0, ssl=context if implicit else None
    )
    (tmp_path / "password").write_text("right password\n")
    yield (
        room,
        {
            "host": "localhost",
            "port": server.sockets[0].getsockname()[1],
            "security": request.param,
            "user": "registry",
            "password_file": tmp_path / "password",
            "ca_file": tmp_path / "localhost.pem",
        },
    )
    server.close()
    await server.wait_closed()


def letters(**values: Any) -> EmailChannel:
    people = {"sender": "registry@example.org", "to": ["duty@example.org", "chief@example.org"]}
    return EmailChannel.model_validate({"kind": "email", "name": "duty"} | people | values)


async def test_an_overdue_order_goes_to_the_areas_contact_too_if_that_is_wanted(
    mail: tuple[Mailroom, dict[str, Any]],
) -> None:
    room, server = mail
    message = overdue("en")
    late = "[P2] Work order 7 is overdue (arrive), 东区抢修组: cam-1: No answer, since 2026-10-01 12:00:00"
    assert message.subject == late
    assert message.link == "http://console:8600/orders/7"
    assert "Contact of the area: 东区 王 east@example.org" in message.lines
    assert overdue("zh").subject.startswith("[P2] 督办：工单 7 超时未到场，东区抢修组：")
    await send(letters(**server), message)
    await send(letters(**server, contacts=True), message)
    plain, pushed = room.letters
    assert "east@example.org" not in str(plain["To"])
    assert str(pushed["To"]).endswith("east@example.org")


def overdue(language: str) -> Message:
    """What is told of an order whose crew has not arrived."""
    late = order(7, state=OrderState.ACCEPTED, crew="crew-east", started=NOON)
    values = {"phase": "arrive", "area": "east-1", "contact": "东区 王 east@example.org"}
    change = OrderChange(OrderStep.ESCALATED, at(3600), late, values=values)
    register = Register(crews={"crew-east": Crew("crew-east", "东区抢修组")})
    (made,) = order_notices.owed([change], [ALL], register)
    return Writer(texts(language), ZoneInfo("Asia/Shanghai"), "http://console:8600").write(batch(made), NOON)


async def test_a_letter_arrives_encrypted_in_plain_text_and_html(mail: tuple[Mailroom, dict[str, Any]]) -> None:
    room, server = mail
    changed = written(opened(1, detail="<b>\r\nBcc: eve@example.org"), language="zh")
    await send(letters(**server), changed, changed)
    first, second = room.letters
    assert room.encrypted == [True, True]
    assert first["Subject"] == changed.subject
    assert first["To"] == "duty@example.org, chief@example.org"
    assert first["Bcc"] is None
    assert first["Message-ID"] == second["Message-ID"], "so that what comes twice is seen once"
    plain, rich = (part.get_content() for part in first.iter_parts())  # type: ignore[attr-defined]
    assert "开始：2026-10-01 12:00:00" in plain
    assert "&lt;b&gt;" in rich
    assert "<b>" not in rich


async def test_a_wrong_password_is_tried_again_and_never_told(mail: tuple[Mailroom, dict[str, Any]]) -> None:
    room, server = mail
    server["password_file"].write_text("wrong password")
    with pytest.raises(DeliveryError) as raised:
        await send(letters(**server), written(opened(1)))
    assert not raised.value.permanent
    assert "535" in raised.value.detail
    assert "wrong password" not in raised.value.detail
    assert room.letters == []


@pytest.mark.parametrize(("answer", "permanent"), [("550 no such thing", True), ("451 try later", False)])
async def test_a_letter_that_is_refused_is_told_apart_from_one_for_later(
    mail: tuple[Mailroom, dict[str, Any]], answer: str, permanent: bool
) -> None:
    room, server = mail
    room.refusal = answer
    with pytest.raises(DeliveryError) as raised:
        await send(letters(**server), written(opened(1)))
    assert raised.value.permanent is permanent


async def test_a_mail_server_that_nobody_vouches_for_gets_no_password(
    mail: tuple[Mailroom, dict[str, Any]], tmp_path: Path
) -> None:
    room, server = mail
    self_signed(tmp_path, "other")
    with pytest.raises(DeliveryError) as raised:
        await send(letters(**{**server, "ca_file": tmp_path / "other.pem"}), written(opened(1)))
    assert not raised.value.permanent
    assert room.letters == []


# Alertmanager ---------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(360)
async def test_a_real_alertmanager_tells_an_incident_a_change_of_its_cause_and_its_end(tmp_path: Path) -> None:
    watched = Monitoring("")
    (port,) = free_ports(1)
    now = incident().started.now(NOON.tzinfo) - timedelta(minutes=5)
    first = incident(1, "cam-1", started=now, opened_at=now)
    other = step(Step.CAUSE_CHANGED, first, now + timedelta(minutes=1), cause=Cause.UNREACHABLE)
    over = resolved(other.incident, now + timedelta(minutes=2))
    async with asyncio.timeout(300), alertmanager(watched, port, tmp_path) as address:
        settings = AlertmanagerSettings(kind="alertmanager", name="am", url=address)

        async def tell(change: IncidentChange) -> None:
            writer = Writer(texts("en"), ZoneInfo("UTC"), "http://console:8600")
            made = writer.write(batch(*owed(change)), now + timedelta(minutes=3))
            await send(settings, made)

        await tell(IncidentChange(Step.OPENED, now, first))
        alert = await watched.next_alert("CameraIncident")
        assert (
            alert["labels"] | {"device": "cam-1", "cause": "timeout", "severity": "warning", "area": "east-1"}
            == alert["labels"]
        )
        assert alert["annotations"]["summary"] == "Fault: cam-1: No answer"
        assert alert["generatorURL"] == "http://console:8600/incidents/1"
        await tell(other)
        gone = await watched.next_alert("CameraIncident", status="resolved")
        assert gone["labels"]["cause"] == "timeout"
        await tell(over)
        while gone["labels"]["cause"] != "unreachable":
            gone = await watched.next_alert("CameraIncident", status="resolved")


# Syslog ---------------------------------------------------------------------------------------------------------------


def syslog(port: int, transport: str, **values: Any) -> SyslogChannel:
    where = {"kind": "syslog", "name": "log", "host": "127.0.0.1", "port": port, "transport": transport}
    return SyslogChannel.model_validate(where | values)


async def test_syslog_over_udp_is_one_line_a_datagram() -> None:
    got: asyncio.Queue[bytes] = asyncio.Queue()

    class Server(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            got.put_nowait(data)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    hostile = opened(1, detail='x"]\n<13>1 forged')
    await send(syslog(port, "udp"), written(hostile, resolved(incident(2, 'a"b]\\\n<13>1 forged'))))
    async with asyncio.timeout(10):
        lines = [(await got.get()).decode() for _ in range(2)]
    transport.close()
    assert lines[0].startswith("<131>1 2026-10-01T04:03:00.000Z ")
    assert lines[1].startswith("<134>1 ")
    assert 'about="a\\"b\\]\\\\ <13>1 forged"' in lines[1]
    assert not [line for line in lines if "\n" in line]


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_syslog_over_a_stream_counts_its_octets(transport: str, tmp_path: Path) -> None:
    got: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.put_nowait(await reader.read())
        writer.close()

    context = self_signed(tmp_path, "localhost") if transport == "tls" else None
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    trust = {"ca_file": tmp_path / "localhost.pem", "host": "localhost"} if transport == "tls" else {}
    await send(
        syslog(server.sockets[0].getsockname()[1], transport, **trust), written(opened(1), opened(2), language="zh")
    )
    async with asyncio.timeout(10):
        data = await got.get()
    server.close()
    await server.wait_closed()
    lines = []
    while data:
        length, _, rest = data.partition(b" ")
        lines.append(rest[: int(length)].decode())
        data = rest[int(length) :]
    assert len(lines) == 2
    assert "\ufeff故障：cam-1：" in lines[0]


# Chat -----------------------------------------------------------------------------------------------------------------


async def test_chat_groups_are_told_each_once_and_their_addresses_never_stand_in_a_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[tuple[str, dict[str, Any]]] = []
    failing = {"/two"}

    async def receive(request: web.Request) -> web.Response:
        told.append((request.path, await request.json()))
        return web.Response(status=500 if request.path in failing else 200)

    application = web.Application()
    application.router.add_post("/{group}", receive)
    async with TestServer(application) as server:
        place = f"json://user:hush-hush@127.0.0.1:{server.port}"
        file = tmp_path / "groups"
        file.write_text(f"# chat\n{place}/one\n{place}/two\n")
        channel = open_channel(ChatChannel(kind="chat", name="chat", url_file=file))
        message = written(opened(1))
        with pytest.raises(DeliveryError) as raised:
            await channel.send(message)
        failing.clear()
        await channel.send(message)
        await channel.close()
    assert [path for path, _ in told] == ["/one", "/two", "/two"]
    assert told[0][1]["title"] == message.subject
    assert str(raised.value) == "not taken by address 2 (json): not taken"
    assert "hush-hush" not in caplog.text


@pytest.mark.parametrize("kind", ["wecombot", "dingtalk"])
async def test_a_robot_that_answers_200_and_refuses_has_not_taken_it(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[web.Request] = []
    texts_told: list[str] = []
    answers = [{"errcode": 45009, "errmsg": "too often, Key-123"}, {"errcode": 0, "errmsg": "ok"}]

    async def receive(request: web.Request) -> web.Response:
        told.append(request)
        texts_told.append((await request.json())["text"]["content"])
        return web.json_response(answers[len(told) - 1])

    application = web.Application()
    application.router.add_post("/send", receive)
    file = tmp_path / "groups"
    file.write_text("wecombot://Key-123" if kind == "wecombot" else "dingtalk://SECret@Key-123/")
    async with TestServer(application) as server:
        monkeypatch.setattr(robots, "WECOM" if kind == "wecombot" else "DINGTALK", str(server.make_url("/send")))
        channel = open_channel(ChatChannel(kind="chat", name="chat", url_file=file))
        with pytest.raises(DeliveryError) as raised:
            await channel.send(written(opened(1), language="zh"))
        await channel.send(written(*(opened(n, detail="很长" * 100) for n in range(1, 30)), language="zh"))
        await channel.close()
    assert str(raised.value) == f"not taken by address 1 ({kind}): the robot refused it (45009): too often, ***"
    query = told[0].query
    if kind == "wecombot":
        assert query["key"] == "Key-123"
        assert max(len(text.encode()) for text in texts_told) <= 2048
    else:
        assert query["access_token"] == "Key-123"
        assert query["sign"] == robots.signature("SECret", query["timestamp"])
    assert texts_told[0].startswith("[P2] 故障：cam-1")


async def test_an_address_that_nobody_can_read_is_named_by_its_line(tmp_path: Path) -> None:
    file = tmp_path / "groups"
    file.write_text("nonsense://secret-thing\n")
    channel = open_channel(ChatChannel(kind="chat", name="chat", url_file=file))
    with pytest.raises(DeliveryError, match="nobody can read: 1") as raised:
        await channel.send(written(opened(1)))
    assert "secret-thing" not in str(raised.value)


async def test_an_answer_that_comes_in_pieces_is_read_to_its_end() -> None:
    async def piecewise(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for piece in (b'[{"labels"', b": {}}]"):
            await answer.write(piece)
            await asyncio.sleep(0.05)
        return answer

    app = web.Application()
    app.router.add_get("/", piecewise)
    async with TestServer(app) as server:
        poster = Poster()
        assert await poster.get(str(server.make_url("/"))) == b'[{"labels": {}}]'
        await poster.close()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("", None), ("soon", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("-5", None)],
)
def test_what_a_receiver_asks_to_wait_is_read(header: str, seconds: float | None) -> None:
    assert retry_after(header) == seconds


def test_an_incident_about_more_than_a_device_is_called_by_what_it_is() -> None:
    lost = incident(1, "10.0.3.0/24", scope=Scope.PREFIX)
    assert "Network 10.0.3.0/24" in written(IncidentChange(Step.OPENED, NOON, lost)).subject
