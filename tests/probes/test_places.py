"""However many ask one host, no more do at once than it has places."""

from __future__ import annotations

import asyncio

from probes.places import Places


async def test_no_more_than_the_places_are_in_use_and_all_get_their_turn():
    places, inside, most, served = Places(2), 0, 0, 0

    async def ask() -> None:
        nonlocal inside, most, served
        async with places.place("192.0.2.7"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.001)
            inside -= 1
            served += 1

    await asyncio.gather(*(ask() for _ in range(20)))
    assert (most, served) == (2, 20)


async def test_one_host_does_not_wait_for_another():
    places = Places(1)
    async with places.place("192.0.2.7"), asyncio.timeout(1), places.place("192.0.2.8"):
        assert not places.take("192.0.2.7")


async def test_who_gives_up_waiting_leaves_the_place_to_others():
    places = Places(1)

    async def ask() -> None:
        async with places.place("192.0.2.7"):
            pass

    async with places.place("192.0.2.7"):
        gone, patient = asyncio.create_task(ask()), asyncio.create_task(ask())
        await asyncio.sleep(0)
        gone.cancel()
    async with asyncio.timeout(1):
        await patient
    assert places.take("192.0.2.7")


async def test_who_is_cancelled_in_the_moment_of_its_turn_gives_the_place_back():
    places = Places(1)

    async def ask() -> None:
        async with places.place("192.0.2.7"):
            raise AssertionError("it was cancelled before")

    async with places.place("192.0.2.7"):
        waiting = asyncio.create_task(ask())
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert places.take("192.0.2.7")
