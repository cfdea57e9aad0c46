"""The poller, against real sockets: it is punctual, bounded, and no device delays another."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import NoReturn

import cv2
import numpy as np
import pytest

from camera_registry.link.local import LocalLink
from camera_registry.model.observation import FailureKind, Observation
from camera_registry.model.roster import Drop, Entry, Hurry, Put, Target, Task
from camera_registry.service import poller as poller_module
from camera_registry.service.poller import Limits, Poller
from probes.base import Pictures, Step, Tools
from probes.guard import AddressGuard
from probes.memory import Memory


class Tally:
    """A meter that counts."""

    def __init__(self) -> None:
        self.polls: list[Observation] = []
        self.missed_runs = 0

    def polled(self, seen: Observation, lag: float) -> None:
        self.polls.append(seen)

    def missed(self, probe: str, runs: int) -> None:
        self.missed_runs += runs


@asynccontextmanager
async def polling(
    tally: Tally,
    slots: int = 8,
    per_host: int = 2,
    pictures: Pictures | None = None,
    memory: Memory | None = None,
) -> AsyncIterator[tuple[LocalLink, Poller]]:
    link = LocalLink()
    tools = Tools(AddressGuard(["127.0.0.0/8"]), memory or Memory(), pictures=pictures)
    poller = Poller(link, link, tools, Limits(slots, per_host), tally)
    running = asyncio.create_task(poller.run())
    try:
        yield link, poller
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def silent() -> AsyncIterator[int]:
    """A port that takes connections and never says a word."""
    writers: list[asyncio.StreamWriter] = []

    async def keep(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.transport.abort()


@contextmanager
def silence() -> Iterator[tuple[str, int]]:
    """An address whose connections are never completed: a listener whose queue is full."""
    with socket.socket() as listener, ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()


def entry(device: str, port: int, probe: str = "tcp", interval: float = 0.2, timeout: float = 0.15) -> Entry:
    target = Target(device, "127.0.0.1", {"tcp": port, "rtsp": port, "http": port, "onvif": port})
    return Entry(target, (Task(probe, interval, timeout),))


async def until(met: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not met():
            await asyncio.sleep(0.02)


async def test_every_device_of_the_roster_is_asked_again_and_again(port: int) -> None:
    tally = Tally()
    async with polling(tally) as (link, _):
        for number in range(5):
            link.tell(Put(entry(f"cam-{number}", port, timeout=10)))
        await until(lambda: len(tally.polls) >= 20)
        assert {seen.device for seen in await link.take()} <= {f"cam-{number}" for number in range(5)}
    assert {seen.device for seen in tally.polls} == {f"cam-{number}" for number in range(5)}
    assert all(seen.ok for seen in tally.polls)


async def test_hung_devices_delay_nobody_else(port: int, silent: int) -> None:
    tally = Tally()
    async with polling(tally, slots=6, per_host=6) as (link, _):
        for number in range(4):
            link.tell(Put(entry(f"hung-{number}", silent, "rtsp", interval=0.5, timeout=0.4)))
        link.tell(Put(entry("well", port)))
        await until(lambda: sum(seen.device == "well" for seen in tally.polls) >= 5)
    hung = [seen for seen in tally.polls if seen.device != "well"]
    assert all(seen.failure is not None and seen.took < 2 for seen in hung)


async def test_no_more_is_under_way_than_the_limits_allow(silent: int) -> None:
    tally = Tally()
    async with polling(tally, slots=3, per_host=2) as (link, poller):
        for number in range(10):
            link.tell(Put(entry(f"hung-{number}", silent, "rtsp", interval=0.5, timeout=0.4)))
        most = 0
        for _ in range(60):
            await asyncio.sleep(0.02)
            most = max(most, poller.slots_used)
    assert most == 2  # one host for all ten, so the host's limit holds before the slots'


async def test_a_silent_port_stands_for_all_that_wait_to_ask_it() -> None:
    tally = Tally()
    with silence() as (host, port):
        target = Target("nvr", host, {"rtsp": port, "tcp": port})
        channels = tuple(Task("rtsp", 60, 1, channel=f"ch-{number}") for number in range(40))
        async with polling(tally, slots=50, per_host=2) as (link, _):
            link.tell(Put(Entry(target, channels)))
            for task in channels:
                link.tell(Hurry("nvr", "rtsp", task.channel, 0))
            await until(lambda: len({seen.channel for seen in tally.polls}) == 40)
    assert {seen.failure and seen.failure.kind for seen in tally.polls} == {FailureKind.TIMEOUT}
    assert sum(seen.took > 0.5 for seen in tally.polls) <= 4, "two at a time were asked, and the rest spared"


async def test_pictures_of_a_recorder_that_wait_for_each_other_delay_no_other_picture(port: int, silent: int) -> None:
    tally = Tally()
    channels = tuple(Task("snapshot", 60, 50, f"ch-{n}", {"path": "/"}, soon=True) for n in range(40))
    recorder = Entry(Target("nvr", "127.0.0.1", {"http": silent}), channels)
    camera = Entry(Target("cam-7", "localhost", {"http": port}), (Task("snapshot", 60, 50, "", {"path": "/"}),))
    async with polling(tally, slots=16, per_host=2) as (link, poller):
        link.tell(Put(recorder))
        for task in channels:
            link.tell(Hurry("nvr", "snapshot", task.channel, 0))
        await until(lambda: poller.slots_used == 2)
        link.tell(Put(camera))
        link.tell(Hurry("cam-7", "snapshot", "", 0))
        await until(lambda: tally.polls)
    assert [seen.device for seen in tally.polls] == ["cam-7"]


class Busy(Pictures):
    """Has no time for a picture."""

    def __init__(self) -> None:
        self.waiting = 0

    async def measure(self, *_: object, **__: object) -> NoReturn:
        self.waiting += 1
        await asyncio.Event().wait()
        raise AssertionError

    compare = measure


async def test_what_waits_here_to_be_measured_keeps_nobody_from_its_recorder() -> None:
    tally, desk = Tally(), Busy()
    _, jpeg = cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))
    answer = b"HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg.tobytes()

    async def show(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(show, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        channels = tuple(Task("snapshot", 60, 50, f"ch-{n}", {"path": "/"}, soon=True) for n in range(12))
        recorder = Target("nvr", "127.0.0.1", {"http": port, "tcp": port})
        async with polling(tally, slots=80, per_host=2, pictures=desk) as (link, _):
            link.tell(Put(Entry(recorder, (*channels, Task("tcp", 60, 50)))))
            for task in channels:
                link.tell(Hurry("nvr", "snapshot", task.channel, 0))
            await until(lambda: desk.waiting == 12)
            link.tell(Hurry("nvr", "tcp", "", 0))
            await until(lambda: tally.polls)
    assert [seen.probe for seen in tally.polls] == ["tcp"]


async def test_pictures_leave_most_of_the_room_to_others_also_while_there_is_little(silent: int) -> None:
    tally = Tally()
    cameras = [Target(f"cam-{n}", "127.0.0.1", {"http": silent}) for n in range(40)]
    async with polling(tally, slots=400, per_host=400) as (link, poller):
        poller.room = 32
        for camera in cameras:
            link.tell(Put(Entry(camera, (Task("snapshot", 60, 50, "", {"path": "/"}),))))
            link.tell(Hurry(camera.device, "snapshot", "", 0))
        await until(lambda: poller.slots_used)
        assert poller.slots_used <= 16


async def test_nobody_is_asked_how_it_is_set_up_while_this_machine_does_not_keep_up() -> None:
    memory, loop = Memory(), asyncio.get_running_loop()
    async with polling(Tally(), slots=400, memory=memory) as (_, poller):
        await asyncio.sleep(0)
        assert memory.set_ups.take(loop.time())
        while poller.room == 400:
            time.sleep(0.25)  # noqa: ASYNC251 - the loop is kept from its work
            await asyncio.sleep(0)
        assert not memory.set_ups.take(loop.time())


async def test_strangers_that_hang_at_first_contact_leave_room_for_those_who_are_known(port: int, silent: int) -> None:
    tally = Tally()
    async with polling(tally, slots=8, per_host=400) as (link, poller):
        for number in range(60):
            target = Target(f"new-{number}", "127.0.0.1", {"onvif": silent, "rtsp": silent})
            link.tell(Put(Entry(target, (Task("onvif", 60, 50, soon=True), Task("rtsp", 0.5, 50, soon=True)))))
        await until(lambda: poller.slots_used == 4)
        link.tell(Put(entry("known", port, timeout=10)))
        await until(lambda: len(tally.polls) >= 10)
        assert poller.slots_used <= 5
    assert {seen.device for seen in tally.polls} == {"known"}


async def test_a_stranger_is_one_of_us_once_it_has_answered(port: int, silent: int) -> None:
    tally = Tally()
    async with polling(tally, slots=8, per_host=400) as (link, poller):
        for number in range(6):
            task = Task("tcp", 0.2, 10, soon=True)
            link.tell(Put(Entry(Target(f"cam-{number}", "127.0.0.1", {"tcp": port}), (task,))))
        await until(lambda: len({seen.device for seen in tally.polls}) == 6)
        for number in range(60):
            target = Target(f"new-{number}", "127.0.0.1", {"rtsp": silent})
            link.tell(Put(Entry(target, (Task("rtsp", 0.5, 50, soon=True),))))
        await until(lambda: poller.slots_used >= 4)
        before = len(tally.polls)
        await until(lambda: len({seen.device for seen in tally.polls[before:]}) == 6)


async def test_a_hurried_task_is_asked_before_its_time(port: int) -> None:
    tally = Tally()
    async with polling(tally) as (link, _):
        link.tell(Put(entry("cam-7", port, interval=3600)))
        link.tell(Hurry("cam-7", "tcp", "", 0.05))
        await until(lambda: tally.polls)
    assert [seen.device for seen in tally.polls] == ["cam-7"]


async def test_what_nobody_takes_is_kept_within_bounds_and_what_is_not_asked_meanwhile_is_counted(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller_module, "BEHIND", 20)
    tally, slots = Tally(), 8
    async with polling(tally, slots, per_host=slots) as (link, poller):
        put_first: list[Observation] = []
        taken: list[Observation] = []
        free = asyncio.Event()

        async def put(batch: Sequence[Observation]) -> None:
            if not put_first:
                put_first.extend(batch)
            await free.wait()
            taken.extend(batch)

        link.put = put  # type: ignore[method-assign]
        for number in range(20):
            link.tell(Put(entry(f"cam-{number}", port, timeout=10)))
        # One batch is being put, however small it is, and one waits for that until it is full.
        await until(lambda: put_first and len(tally.polls) >= len(put_first) + 20 and not poller.slots_used)
        seen = len(tally.polls)
        assert len(put_first) < 20 + slots
        assert seen < len(put_first) + 20 + slots
        await asyncio.sleep(0.5)
        assert len(tally.polls) == seen, "nobody is asked in vain"
        free.set()
        await until(lambda: len(taken) > 2 * seen)
        assert taken[: 2 * seen] == tally.polls[: 2 * seen], "all of it, in order"
        await until(lambda: tally.missed_runs >= 20)


async def test_a_dropped_device_is_left_alone(port: int) -> None:
    tally = Tally()
    async with polling(tally) as (link, poller):
        link.tell(Put(entry("cam-7", port)))
        await until(lambda: tally.polls)
        link.tell(Drop("cam-7"))
        await until(lambda: len(poller.agenda) == 0 and poller.slots_used == 0)
        count = len(tally.polls)
        await asyncio.sleep(0.5)
    assert len(tally.polls) == count


async def test_stopping_in_the_middle_of_a_poll_reports_no_failure(silent: int) -> None:
    tally = Tally()
    async with polling(tally) as (link, poller):
        link.tell(Put(entry("hung", silent, "rtsp", interval=60, timeout=50)))
        link.tell(Hurry("hung", "rtsp", "", 0))
        await until(lambda: poller.slots_used == 1)
    assert tally.polls == []


async def test_a_probe_that_is_not_known_here_is_our_failure_and_stops_nothing(port: int) -> None:
    tally = Tally()
    async with polling(tally) as (link, _):
        link.tell(Put(entry("cam-7", port, "telepathy")))
        link.tell(Put(entry("cam-8", port)))
        await until(lambda: {seen.device for seen in tally.polls} == {"cam-7", "cam-8"})
    kinds = {seen.device: seen.failure and seen.failure.kind for seen in tally.polls}
    assert kinds == {"cam-7": FailureKind.INTERNAL, "cam-8": None}


async def test_who_probes_now_waits_for_the_same_places_as_everybody(silent: int) -> None:
    tally = Tally()
    async with polling(tally, slots=20, per_host=2) as (link, poller):
        for number in range(6):
            link.tell(Put(entry(f"hung-{number}", silent, "rtsp", interval=0.5, timeout=0.4)))
        await until(lambda: poller.slots_used == 2)
        asked = entry("asked", silent, "rtsp", timeout=0.4)
        steps: list[Step] = []
        answers = [asyncio.create_task(poller.ask(asked.target, asked.tasks[0], steps)) for _ in range(5)]
        most = 0
        while not all(answer.done() for answer in answers):
            await asyncio.sleep(0.01)
            most = max(most, poller.slots_used)
    assert most == 2
    assert {answer.result().device for answer in answers} == {"asked"}
    assert steps, "it is told what happened"
    assert sum(seen.device == "asked" for seen in tally.polls) == 5, "and what came of it is judged like any poll"
