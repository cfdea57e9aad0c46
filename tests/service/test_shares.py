"""Processes that poll, without a service around them: told, changed, stopped, held up; what they ask counts itself."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from camera_registry.link.local import LocalLink
from camera_registry.model.observation import Observation
from camera_registry.model.roster import Drop, Entry, Put, Target, Task
from camera_registry.service.polling import Conditions
from camera_registry.service.wire import share
from camera_registry.service.wire.gate import SOCKET, Gate, GateError
from camera_registry.service.wire.pollers import Pollers
from camera_registry.service.wire.share import Sources
from camera_registry.service.wire.terms import Setup
from probes.base import References

ANYWHERE = Conditions(64, 4, ("127.0.0.0/8",))
HOSTS = [f"127.0.3.{last}" for last in range(1, 17)]
"""Some are each process's, whatever they are dealt by."""
DEVICES = [f"cam-{host}" for host in HOSTS]


class Tally:
    """A meter that counts."""

    def __init__(self) -> None:
        self.polls = self.missed_runs = 0

    def polled(self, seen: Observation, lag: float) -> None:
        self.polls += 1

    def missed(self, probe: str, runs: int) -> None:
        self.missed_runs += runs

    def loop_lagged(self, lag: float) -> None:
        pass


@dataclass
class Polled:
    """What is polled from outside, and what it sees of that. ``free`` is cleared while nobody takes what is seen;
    ``asked`` counts connections, by host and port."""

    pollers: Pollers
    link: LocalLink
    tally: Tally
    free: asyncio.Event
    taken: list[Observation] = field(default_factory=list)
    asked: Counter[tuple[str, int]] = field(default_factory=Counter)
    ports: list[int] = field(default_factory=list)

    async def put(self, batch: Sequence[Observation]) -> None:
        await self.free.wait()
        self.taken += batch

    def tell(self, device: str, host: str, port: int, interval: float = 0.2) -> None:
        self.link.tell(Put(Entry(Target(device, host, {"tcp": port}), (Task("tcp", interval, 10.0),))))

    def tell_all(self, interval: float = 0.2) -> None:
        for device, host in zip(DEVICES, HOSTS, strict=True):
            self.tell(device, host, self.ports[0], interval)

    def newest(self, device: str) -> Observation | None:
        return next((seen for seen in reversed(self.taken) if seen.device == device), None)


@asynccontextmanager
async def polling(processes: int, ports: int = 1, gate: Gate | None = None) -> AsyncIterator[Polled]:
    """So many processes, and so many ports that take connections on every address. ``gate``: others start them."""

    async def none(_: str, __: str) -> References:
        return References()

    link, tally, free = LocalLink(), Tally(), asyncio.Event()
    free.set()
    setup = Setup(ANYWHERE, 1800, 1, 160, "warning", "text")
    pollers = Pollers(link, link, Sources({}.get, lambda _: (), none), setup, processes, tally, gate)
    polled = Polled(pollers, link, tally, free)
    link.put = polled.put  # type: ignore[method-assign]

    async def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        polled.asked[writer.get_extra_info("sockname")[:2]] += 1
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with AsyncExitStack() as stack:
        for _ in range(ports):
            server = await stack.enter_async_context(await asyncio.start_server(count, HOSTS[0], 0, backlog=1000))
            port = server.sockets[0].getsockname()[1]
            for host in HOSTS[1:]:
                await stack.enter_async_context(await asyncio.start_server(count, host, port))
            polled.ports.append(port)
        running = asyncio.create_task(pollers.run())
        try:
            yield polled
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def until(met: Callable[[], object], seconds: float = 150) -> None:
    async with asyncio.timeout(seconds):
        while not met():
            await asyncio.sleep(0.02)


async def test_devices_are_added_changed_moved_between_processes_and_removed_while_they_poll() -> None:
    async with polling(2, ports=2) as polled:
        first, second = polled.ports
        one, other = polled.pollers.shares
        polled.tell_all()
        await until(lambda: len({seen.device for seen in polled.taken if seen.ok}) == len(DEVICES))
        assert one.entries
        assert other.entries
        await until(lambda: polled.pollers.tasks == len(DEVICES))
        changed, moved, removed, *_ = one.entries
        places = {device: entry.target.host for device, entry in (one.entries | other.entries).items()}
        new_place = places[next(iter(other.entries))]

        polled.tell(changed, places[changed], second)
        await until(lambda: polled.asked[places[changed], second] > 2)
        polled.tell(moved, new_place, second)
        await until(lambda: polled.asked[new_place, second] > 2)
        assert moved in other.entries
        assert moved not in one.entries
        polled.link.tell(Drop(removed))
        await until(lambda: removed not in one.entries)
        # What was under way when they were told may still come.
        await asyncio.sleep(0.5)
        left = {device: polled.asked[places[device], first] for device in (changed, moved, removed)}
        was = polled.asked[new_place, first]
        await until(lambda: polled.asked[new_place, first] > was + 5)
        assert left == {device: polled.asked[places[device], first] for device in left}, "nobody asks there any more"
        await until(lambda: polled.pollers.tasks == len(DEVICES) - 1)


async def test_what_may_be_done_is_told_to_every_process_and_to_the_one_that_replaces_it() -> None:
    async with polling(2) as polled:
        polled.tell_all()

        def found() -> list[bool | None]:
            """Whether each is well, by what was seen of it last."""
            return [seen and seen.ok for seen in map(polled.newest, DEVICES)]

        def well() -> bool:
            return found() == [True] * len(DEVICES)

        def refused() -> bool:
            return found() == [False] * len(DEVICES)

        await until(well)
        await until(lambda: [each.status.room for each in polled.pollers.shares] == [32, 32])
        polled.pollers.take_up(replace(ANYWHERE, slots=10, networks=("192.0.2.0/24",)))
        await until(refused)
        await until(lambda: [each.status.room for each in polled.pollers.shares] == [5, 5])
        assert polled.pollers.slots == 10
        asked = polled.asked.total()
        for each in polled.pollers.shares:
            os.kill(each.pid, signal.SIGKILL)
        await until(lambda: polled.pollers.replaced == 2)
        polled.taken.clear()
        await until(refused)
        assert polled.asked.total() == asked, "nothing was knocked at in between"
        polled.pollers.take_up(ANYWHERE)
        await until(well)


async def test_a_process_that_hangs_is_replaced_and_its_devices_are_polled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(share, "SILENCE", 3.0)
    async with polling(1) as polled:
        (one,) = polled.pollers.shares
        polled.tell_all()
        await until(lambda: len({seen.device for seen in polled.taken}) == len(DEVICES))
        assert one.turns(2.0)
        hung = one.pid
        os.kill(hung, signal.SIGSTOP)
        await until(lambda: not one.turns(2.0))
        await until(lambda: one.pid not in (0, hung))
        with pytest.raises(ProcessLookupError):
            os.kill(hung, 0)
        polled.taken.clear()
        await until(lambda: len({seen.device for seen in polled.taken if seen.ok}) == len(DEVICES))
        assert polled.pollers.replaced == 1
        assert one.turns(2.0)


async def test_while_nobody_takes_what_is_seen_nothing_is_lost_and_no_process_is_taken_for_hung(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(share, "SILENCE", 2.0)
    async with polling(1) as polled:
        (one,) = polled.pollers.shares
        polled.tell_all(interval=0.05)
        await until(lambda: polled.tally.polls > 100)
        polled.free.clear()
        was = polled.asked.total()
        await asyncio.sleep(4)
        await until(lambda: polled.asked.total() > was + 500)
        asked, taken = polled.asked.total(), len(polled.taken)
        polled.free.set()
        await until(lambda: len(polled.taken) >= asked)
        assert taken < asked - 300
        assert polled.pollers.replaced == 0
        for device in DEVICES:
            polled.link.tell(Drop(device))
        await until(lambda: not one.entries)
        await until(lambda: len(polled.taken) == polled.asked.total())
        assert polled.tally.polls == len(polled.taken)


@asynccontextmanager
async def attending(settings: Path) -> AsyncIterator[Process]:
    """A poller that was started by itself; told to end, it does."""
    command = (sys.executable, "-m", "camera_registry", "--config", str(settings), "serve", "--role", "poller")
    running = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL)
    try:
        yield running
    finally:
        if running.returncode is None:
            running.terminate()
        async with asyncio.timeout(90):
            await running.wait()


@pytest.mark.timeout(450)
async def test_pollers_that_others_start_are_waited_for_and_take_each_others_place(tmp_path: Path) -> None:
    settings, door = tmp_path / "settings.toml", tmp_path / "data" / SOCKET
    settings.write_text('[storage]\ndirectory = "data"\n')
    door.parent.mkdir(mode=0o700)

    async def all_polled(polled: Polled) -> None:
        before = len(polled.taken)
        await until(lambda: len({seen.device for seen in polled.taken[before:] if seen.ok}) == len(DEVICES))

    async with attending(settings) as first:
        gate = Gate(door)
        assert door.stat().st_mode & 0o777 == 0o600
        async with polling(1, gate=gate) as polled:
            polled.tell_all()
            await all_polled(polled)
            assert polled.pollers.pids == {"1": first.pid}
        gate.close()
        assert not door.exists()
        # The service is there again; who waited for it goes on.
        gate = Gate(door)
        async with polling(1, gate=gate) as polled, attending(settings) as second:
            polled.tell_all()
            await until(lambda: len(polled.pollers.pids) == 1)
            alive = {first.pid: first, second.pid: second}
            alive.pop(polled.pollers.pids["1"]).kill()
            ((pid, last),) = alive.items()
            await until(lambda: polled.pollers.pids == {"1": pid})
            await all_polled(polled)
            last.terminate()
            assert await last.wait() == 0
        gate.close()


def test_a_data_directory_that_holds_no_socket_is_told_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(GateError, match=r"pollers\.sock: .*short path"):
        Gate(tmp_path / ("a" * 120) / SOCKET)
