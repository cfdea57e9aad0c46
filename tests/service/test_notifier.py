"""The notifier against receivers that fail in every way: nothing is lost, nothing overtakes, nobody else waits."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from bench.ports import free_ports
from camera_registry.channels import AlertmanagerChannel, AnyChannel, WebhookChannel
from camera_registry.model.health import Cause
from camera_registry.model.incident import Acknowledgement, Incident, IncidentChange, Severity, Step
from camera_registry.model.notice import NoticeState
from camera_registry.model.register import Register
from camera_registry.rules import notices
from camera_registry.service import notifier as module
from camera_registry.service.clock import SteadyClock
from camera_registry.service.notifier import Notifier
from camera_registry.store import Store, outbox
from tests.certificates import self_signed
from tests.exporters.monitoring import Monitoring, alertmanager
from tests.notices import Receiver, incident, receiving, resolved, step
from tests.service.whole import until
from tests.shaped import shaped


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open("", shaped(tmp_path / "data")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(notices, "BACK_OFF", (0.05, 0.2))


class Results:
    def __init__(self) -> None:
        self.of: dict[tuple[str, str], int] = {}

    def delivery(self, channel: str, result: str) -> None:
        self.of[channel, result] = self.of.get((channel, result), 0) + 1


class Bench:
    """A notifier at work, and the open incidents that it sees."""

    def __init__(self, store: Store, channels: Sequence[AnyChannel]) -> None:
        self.store = store
        self.channels = channels
        self.open: dict[int, Incident] = {}
        self.results = Results()
        self.clock = SteadyClock()
        self.notifier = Notifier(store, self.clock, lambda: self.open, self.results, lambda: None)

    def tell(self, *changes: IncidentChange) -> None:
        audiences = [channel.audience("UTC") for channel in self.channels]
        self.store.write_now(outbox.owe, notices.owed(changes, audiences, Register()))

    def opens(self, *ids: int, **values: object) -> None:
        now = self.clock.utc()
        made = [incident(id, f"cam-{id}", started=now, opened_at=now, **values) for id in ids]
        self.open |= {one.id: one for one in made}
        self.tell(*(IncidentChange(Step.OPENED, now, one) for one in made))

    def ends(self, *ids: int) -> None:
        self.tell(*(resolved(self.open.pop(id), self.clock.utc()) for id in ids))

    def settled(self) -> bool:
        return not any(one.pending for one in self.store.read_now(outbox.owing).values())


@asynccontextmanager
async def working(store: Store, *channels: AnyChannel) -> AsyncIterator[Bench]:
    bench = Bench(store, channels)
    await bench.notifier.follow(channels, "en", "UTC", "http://127.0.0.1:8600")
    running = asyncio.create_task(bench.notifier.run())
    try:
        yield bench
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def hook(receiver: Receiver | str, name: str = "duty", **values: object) -> WebhookChannel:
    url = receiver if isinstance(receiver, str) else receiver.url
    return WebhookChannel.model_validate({"kind": "webhook", "name": name, "url": url, "group_wait": 0} | values)


async def test_a_notice_arrives_signed_with_its_key_and_in_words(store: Store, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not for everybody\n")
    async with receiving() as receiver, working(store, hook(receiver, secret_file=secret)) as bench:
        bench.opens(1)
        await until(lambda: receiver.got)
        (message,), (headers,), (body,) = receiver.got, receiver.headers, receiver.bodies
    assert message["subject"] == "[P2] Fault: cam-1: No answer"
    assert "http://127.0.0.1:8600/incidents/1" in message["text"]
    assert headers["Idempotency-Key"] == message["key"]
    signed = headers["X-Camera-Registry-Timestamp"].encode() + b"." + body
    expected = hmac.new(b"not for everybody", signed, hashlib.sha256).hexdigest()
    assert headers["X-Camera-Registry-Signature"] == f"sha256={expected}"
    assert b"not for everybody" not in body


@pytest.mark.parametrize("failure", ["500", "429", "hang", "redirect", "401"])
async def test_while_a_receiver_fails_others_are_told_and_it_is_told_in_order_afterwards(
    store: Store, failure: str
) -> None:
    async with receiving() as ill, receiving() as well:
        answers = {
            "500": lambda request: web.Response(status=500),
            "429": lambda request: web.Response(status=429, headers={"Retry-After": "1"}),
            "hang": lambda request: 30.0,
            "redirect": lambda request: web.Response(status=307, headers={"Location": well.url}),
            "401": lambda request: web.Response(status=401),
        }
        ill.answer = answers[failure]
        async with working(store, hook(ill, "ill", timeout=0.3), hook(well, "well")) as bench:
            bench.opens(1, 2)
            await until(lambda: len(well.told) == 2 and ill.asked)
            bench.ends(1)
            await until(lambda: len(well.told) == 3)
            assert ill.got == []
            assert {key.partition("/")[0] for key in well.keys} == {"well"}
            if failure == "429":
                assert ill.asked == 1
                assert bench.notifier._lines["ill"].rests_until > asyncio.get_running_loop().time()
            ill.answer = lambda request: None
            await until(bench.settled)
    assert ill.told == [(1, "opened"), (2, "opened"), (1, "resolved")]
    assert bench.results.of["ill", "retry"] >= 1
    log = store.read_now(outbox.attempts)
    assert {one.result for one in log if one.channel == "ill"} == {"retry", "delivered"}


async def test_a_receiver_whose_certificate_nobody_vouches_for_gets_nothing_until_it_is_mended(
    store: Store, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    address = f"https://127.0.0.1:{port}/hook"
    async with receiving(port, self_signed(tmp_path)) as stranger, working(store, hook(address)) as bench:
        bench.opens(1)
        await until(lambda: bench.notifier.standings[0].failures > 1)
        assert "certificate" in bench.notifier.standings[0].error
        assert stranger.got == []
    async with receiving() as receiver, working(store, hook(receiver)):
        await until(lambda: receiver.told == [(1, "opened")])


async def test_a_receiver_that_is_down_is_told_once_it_is_back(store: Store) -> None:
    (port,) = free_ports(1)
    async with working(store, hook(f"http://127.0.0.1:{port}/hook")) as bench:
        bench.opens(1)
        await until(lambda: bench.notifier.standings[0].failures > 2)
        assert bench.notifier.pending == 1
        async with receiving(port) as receiver:
            await until(lambda: receiver.told == [(1, "opened")])
            await until(bench.settled)


async def test_5000_events_while_a_receiver_is_down_come_as_a_digest_and_are_all_in_the_log(store: Store) -> None:
    (port,) = free_ports(1)
    async with working(store, hook(f"http://127.0.0.1:{port}/hook")) as bench:
        for first in range(1, 2501, 500):
            ids = range(first, first + 500)
            bench.opens(*ids)
            bench.ends(*ids)
        await until(lambda: bench.notifier.standings[0].failures > 3)
        async with receiving(port) as receiver:
            await until(bench.settled)
    assert len(receiver.got) < 25
    assert sum(message["total"] for message in receiver.got) == 5000
    assert max(len(body) for body in receiver.bodies) < 200_000
    assert any(message["digest"] for message in receiver.got)
    kept = store.read_now(outbox.page, limit=6000)
    assert {one.state for one in kept} == {NoticeState.DELIVERED}
    assert len(kept) == 5000


async def test_a_message_that_a_receiver_will_never_take_is_kept_as_failed_and_the_next_one_goes_on(
    store: Store,
) -> None:
    async with receiving() as receiver, working(store, hook(receiver)) as bench:
        receiver.answer = lambda request: web.Response(status=422)
        bench.opens(1)
        await until(lambda: bench.notifier.failed == 1)
        receiver.answer = lambda request: None
        bench.opens(2)
        await until(lambda: receiver.told == [(2, "opened")])
        (failed,) = store.read_now(outbox.page, state=NoticeState.FAILED)
        assert failed.error == "it answered 422 Unprocessable Entity"
        store.write_now(outbox.retry, failed.id, bench.clock.utc())
        await until(lambda: receiver.told == [(2, "opened"), (1, "opened")])


async def test_what_we_can_not_write_ourselves_is_kept_as_failed_and_the_next_one_goes_on(store: Store) -> None:
    async with receiving() as receiver, working(store, hook(receiver)) as bench:
        audience = bench.channels[0].audience("UTC")
        (sound,) = notices.owed([IncidentChange(Step.OPENED, bench.clock.utc(), incident())], [audience], Register())
        store.write_now(outbox.owe, [replace(sound, values={})])
        await until(lambda: bench.notifier.failed == 1)
        bench.opens(2)
        await until(lambda: receiver.told == [(2, "opened")])
        (failed,) = store.read_now(outbox.page, state=NoticeState.FAILED)
        assert failed.error.startswith("our own error")
        assert bench.results.of["duty", "failed"] == 1


async def test_nobody_is_told_what_a_parent_explains_before_it_is_sent_but_of_an_end_that_was_announced(
    store: Store,
) -> None:
    async with receiving() as receiver, working(store, hook(receiver, group_wait=0.5)) as bench:
        bench.opens(1, 2)
        explained = step(Step.EXPLAINED, bench.open[1], bench.clock.utc(), parent=9)
        bench.open[1] = explained.incident
        await until(lambda: receiver.told == [(2, "opened")])
        bench.open[2] = step(Step.EXPLAINED, bench.open[2], bench.clock.utc(), parent=9).incident
        bench.ends(1, 2)
        await until(lambda: len(receiver.told) == 2)
        await until(bench.settled)
    assert receiver.told == [(2, "opened"), (2, "resolved")]


async def test_it_is_told_again_until_somebody_takes_care(store: Store) -> None:
    async with receiving() as receiver, working(store, hook(receiver, repeat=0.2)) as bench:
        bench.opens(1)
        await until(lambda: receiver.told.count((1, "repeated")) >= 2)
        seen = Acknowledgement("lee", bench.clock.utc())
        bench.open[1] = step(Step.ACKNOWLEDGED, bench.open[1], acknowledged=seen).incident
        await until(bench.settled)
        count = len(receiver.told)
        await asyncio.sleep(0.5)
        assert len(receiver.told) == count
    assert len(set(receiver.keys)) == count


async def test_what_is_told_again_is_told_as_it_is_known_by_then(store: Store) -> None:
    async with receiving() as receiver, working(store, hook(receiver, repeat=0.2)) as bench:
        bench.opens(1)
        await until(lambda: receiver.told == [(1, "opened")])
        known = step(Step.CAUSE_CHANGED, bench.open[1], bench.clock.utc(), cause=Cause.POWER, detail="port 7: no power")
        bench.open[1] = known.incident
        await until(lambda: (1, "repeated") in receiver.told)
    repeated = next(one for sent in receiver.got for one in sent["notices"] if one["occasion"] == "repeated")
    assert (repeated["cause"], repeated["detail"]) == ("power", "port 7: no power")
    assert "Power lost" in repeated["headline"]


async def test_only_what_nobody_acknowledged_is_escalated(store: Store) -> None:
    async with receiving() as boss, working(store, hook(boss, "boss", after=0.4)) as bench:
        bench.opens(1, 2, 3)
        seen = Acknowledgement("lee", bench.clock.utc())
        bench.open[1] = step(Step.ACKNOWLEDGED, bench.open[1], acknowledged=seen).incident
        bench.ends(2)
        await until(lambda: boss.told == [(3, "escalated")])
        bench.ends(3)
        await until(lambda: boss.told == [(3, "escalated"), (3, "resolved")])


async def test_a_restart_tells_nothing_again_and_what_was_owed_once(store: Store) -> None:
    async with receiving() as receiver:
        async with working(store, hook(receiver)) as bench:
            bench.opens(*range(1, 200))
            await until(bench.settled)
        count = len(receiver.got)
        async with working(store, hook(receiver)) as bench:
            await asyncio.sleep(0.3)
            assert len(receiver.got) == count
            bench.opens(500)
            await until(bench.settled)
        assert len(receiver.got) == count + 1


@pytest.mark.timeout(360)
async def test_an_alertmanager_that_was_restarted_is_told_anew_what_is_open(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AlertmanagerChannel, "refresh", 0.5)
    (port,) = free_ports(1)
    channel = AlertmanagerChannel(kind="alertmanager", name="am", url=f"http://127.0.0.1:{port}")
    async with working(store, channel) as bench:
        bench.notifier.standing = lambda audience: notices.owed(
            [IncidentChange(Step.OPENED, one.opened_at, one) for one in bench.open.values()], [audience], Register()
        )
        bench.opens(1, 2)
        for turn in ("first", "second"):
            watched = Monitoring("")
            folder = tmp_path / turn
            folder.mkdir()
            async with asyncio.timeout(150), alertmanager(watched, port, folder):
                expected = {("CameraIncident", f"cam-{id}") for id in bench.open}
                await until(lambda watched=watched, expected=expected: watched.devices_told == expected)  # type: ignore[misc]
                if turn == "first":
                    bench.ends(2)
                    ended = await watched.next_alert("CameraIncident", status="resolved")
                    assert ended["labels"]["device"] == "cam-2"


async def test_asked_to_stop_it_lets_the_message_under_way_arrive(store: Store) -> None:
    async with receiving() as receiver:
        receiver.answer = lambda request: 0.5
        async with working(store, hook(receiver)) as bench:
            bench.opens(1)
            await until(lambda: receiver.asked)
        assert bench.settled()
        assert receiver.told == [(1, "opened")]


async def test_a_test_of_a_channel_says_at_once_whether_it_works(store: Store) -> None:
    async with receiving() as receiver, working(store, hook(receiver)) as bench:
        good = await bench.notifier.test("duty")
        receiver.answer = lambda request: web.Response(status=503)
        bad = await bench.notifier.test("duty")
        assert await bench.notifier.test("nobody") is None
    assert good is not None
    assert bad is not None
    assert (good.result, bad.result, bad.error) == ("delivered", "failed", "it answered 503 Service Unavailable")
    assert receiver.got[0]["notices"][0]["occasion"] == "test"
    assert len(store.read_now(outbox.attempts)) == 2


async def test_killed_between_sending_and_marking_it_sends_at_most_one_message_twice_under_the_same_key(
    store: Store, tmp_path: Path
) -> None:
    kills = 3
    async with receiving() as receiver:
        bench = Bench(store, [hook(receiver)])
        for turn in range(1, kills + 1):
            bench.opens(*range(turn * 10, turn * 10 + 3), severity=Severity.P3)
            asked = receiver.asked
            receiver.answer = lambda request: 0.2
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.service.lone_notifier", str(tmp_path / "data"), receiver.url, stdout=PIPE
            )
            await until(lambda asked=asked: receiver.asked > asked)  # type: ignore[misc]
            os.kill(process.pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                await process.wait()
        receiver.answer = lambda request: None
        async with working(store, hook(receiver)) as bench:
            await until(bench.settled)
        await asyncio.sleep(0.3)
    wanted = {(turn * 10 + n, "opened") for turn in range(1, kills + 1) for n in range(3)}
    assert set(receiver.told) == wanted
    assert len(receiver.keys) - len(set(receiver.keys)) <= kills
    by_key: dict[str, list[int]] = {}
    for message in receiver.got:
        held = [one["incident"] for one in message["notices"]]
        assert by_key.setdefault(message["key"], held) == held, "one key, one content"
