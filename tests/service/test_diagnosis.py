"""What is asked on the spot when a device does not answer: in order, once, by few at a time, and nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from camera_registry.model.chain import Link, LinkState, Way
from camera_registry.model.observation import Failure, FailureKind, Observation, Stage
from camera_registry.model.roster import Parent, Target
from camera_registry.service import diagnosis
from camera_registry.service.diagnosis import Diagnosis
from probes.base import Tools
from probes.guard import AddressGuard
from probes.memory import Memory
from probes.places import Places
from tests.service.test_poller import silence

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)
SILENT = Failure(FailureKind.TIMEOUT, Stage.CONNECT, "no answer")


class Counting:
    """A listener that counts who comes."""

    def __init__(self) -> None:
        self.port = 0
        self.came = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Counting]:
        async def come(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.came += 1
            writer.close()

        server = await asyncio.start_server(come, "127.0.0.1", 0)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield self


def made(per_host: int = 2) -> Diagnosis:
    tools = Tools(AddressGuard(["127.0.0.0/8"]), Memory(), now=lambda: NOON)
    return Diagnosis(tools, Places(per_host))


def failed(device: str = "cam-7", failure: Failure | None = SILENT) -> Observation:
    return Observation(device, "onvif", NOON, 1.0, failure=failure)


def states(way: Way | None) -> dict[Link, LinkState]:
    assert way is not None
    return {seen.link: seen.state for seen in way.links}


async def way_of(looks: Diagnosis, target: Target, port: int, failure: Failure | None = SILENT) -> Way | None:
    seen = await looks.explain(failed(target.device, failure), target, port)
    return seen.failure.way if seen.failure else None


async def test_a_port_that_is_silent_on_a_host_that_lives_is_told_apart_from_a_dead_host():
    async with Counting().listening() as alive:
        with silence() as (host, dead):
            lives = await way_of(made(), Target("cam-7", host, {"onvif": dead, "rtsp": alive.port}), dead)
            gone = await way_of(made(), Target("cam-8", host, {"onvif": 9999, "rtsp": dead}), 9999)
            alone = await way_of(made(), Target("cam-9", host, {"onvif": dead}), dead)
    assert states(lives) == {Link.HOST: LinkState.OK}
    assert states(gone) == {Link.HOST: LinkState.BROKEN}
    assert states(alone) == {Link.HOST: LinkState.NOT_ASKED}


async def test_a_refusal_is_life():
    with silence() as (host, dead):
        way = await way_of(made(), Target("cam-7", host, {"onvif": dead, "rtsp": 1}), dead)
    assert states(way) == {Link.HOST: LinkState.OK}


async def test_a_host_that_dies_a_moment_after_it_answered_is_dead():
    looks = made()
    async with Counting().listening() as alive:
        with silence() as (host, dead):
            assert states(await way_of(looks, Target("cam-7", host, {"onvif": dead, "rtsp": alive.port}), dead)) == {
                Link.HOST: LinkState.OK
            }
            seen = await looks.explain(
                replace(failed(), took=0.0), Target("cam-7", host, {"onvif": 9, "rtsp": dead}), 9
            )
    assert seen.failure is not None
    assert states(seen.failure.way) == {Link.HOST: LinkState.BROKEN}


async def test_it_stops_at_the_first_broken_link():
    async with Counting().listening() as camera, Counting().listening() as switch:
        with silence() as (host, dead):
            target = Target("cam-7", host, {"onvif": dead, "rtsp": camera.port}, parents=(Parent("sw", host, dead),))
            assert states(await way_of(made(), target, dead)) == {Link.PARENT: LinkState.BROKEN}
            looks = made()
            looks.gateway = (host, dead)
            target = Target("cam-8", host, target.ports, parents=(Parent("sw", host, switch.port),))
            assert states(await way_of(looks, target, dead)) == {Link.GATEWAY: LinkState.BROKEN}
    assert (camera.came, switch.came) == (0, 0)


async def test_of_parents_that_are_silent_the_farthest_is_named():
    async with Counting().listening() as centre:
        with silence() as (host, dead), silence() as (_, further):
            above = (Parent("sw", host, dead), Parent("uplink", host, further), Parent("centre", host, centre.port))
            way = await way_of(made(), Target("cam-7", host, {"onvif": 9}, parents=above), 9)
    assert way is not None
    assert [seen.values["who"] for seen in way.links] == ["uplink"]


async def test_three_hundred_cameras_behind_one_switch_cost_one_look_at_it():
    async with Counting().listening() as switch:
        with silence() as (host, dead):
            looks = made()
            parents = (Parent("sw", host, switch.port),)
            targets = [Target(f"cam-{n}", host, {"onvif": dead, "rtsp": dead}, parents=parents) for n in range(300)]
            ways = await asyncio.gather(*(way_of(looks, target, dead) for target in targets))
            assert switch.came == 1
            assert {states(way)[Link.PARENT] for way in ways} == {LinkState.OK}


async def test_a_failure_is_looked_into_when_it_begins_and_when_it_changes():
    async with Counting().listening() as camera:
        with silence() as (host, dead):
            target, looks = Target("cam-7", host, {"onvif": dead, "rtsp": camera.port}), made()
            other = Failure(FailureKind.UNREACHABLE, Stage.CONNECT, "no way")
            hung = Failure(FailureKind.TIMEOUT, Stage.ANSWER, "no answer")
            failures = (SILENT, SILENT, other, hung, SILENT, None, SILENT)
            ways = [await way_of(looks, target, dead, failure) for failure in failures]
    assert [way is not None for way in ways] == [True, False, True, False, True, False, True]


async def test_a_storm_is_looked_into_by_few_at_a_time_and_the_rest_later():
    with silence() as (_, dead):
        looks, most = made(), 0
        hosts = [f"127.0.1.{n}" for n in range(1, 60)]

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, sum(not look.done() for _, look in looks._known.values()))
                await asyncio.sleep(0.01)

        watching = asyncio.create_task(watch())
        ways = await asyncio.gather(*(way_of(looks, Target(one, one, {"rtsp": dead}), 9) for one in hosts))
        watching.cancel()
        later = next(one for one, way in zip(hosts, ways, strict=True) if way is None)
        assert await way_of(looks, Target(later, later, {"rtsp": dead}), 9) is not None, "nothing holds it back now"
    assert most <= diagnosis.AT_ONCE
    await looks.stop()


async def test_a_parent_whose_places_are_taken_is_not_troubled():
    async with Counting().listening() as switch:
        with silence() as (host, dead):
            looks = made(per_host=1)
            target = Target("cam-7", "127.0.0.2", {"onvif": dead}, parents=(Parent("sw", host, switch.port),))
            async with looks._places.place(host):
                assert await way_of(looks, target, dead) is None
            assert states(await way_of(looks, target, dead))[Link.PARENT] is LinkState.OK
    assert switch.came == 1
