"""Gives the tests of the simulated fleet a planned city and a fleet that is being served on free ports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import uvloop

from camera_registry.model.device import Kind
from camera_registry.simulator.member import Member
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
ON_BOTH = ("test_dark.py", "test_faults.py")
"""What meets sockets beside the event loop, and so might differ from one loop to the other."""
ON_ASYNCIO = ("test_command.py",)
"""uvloop keeps a pipe of its children open, whose end the command promises."""


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The fleet is served on uvloop, and on asyncio's own loop where that is not installed."""
    if item.path.name in ON_BOTH:
        return LOOPS
    name = "asyncio" if item.path.name in ON_ASYNCIO else "uvloop"
    return {name: LOOPS[name]}


@pytest.fixture(scope="session")
def fleet() -> Fleet:
    """Two districts' worth of devices: four switches, each with cameras beneath it."""
    return Fleet.plan(150, seed=3)


@pytest.fixture
async def simulation(fleet: Fleet) -> AsyncIterator[Simulation]:
    async with Simulation(fleet) as served:
        yield served


@pytest.fixture(scope="session")
def camera(fleet: Fleet) -> Member:
    """A camera that takes WS-Security and Digest alike."""
    return camera_of(fleet, "Dashan")


def camera_of(fleet: Fleet, maker: str) -> Member:
    """The first one that does not encrypt."""
    return next(
        member
        for member in fleet.members
        if member.device.kind is Kind.CAMERA and member.maker.name == maker and not member.encrypts
    )
