"""Gives the tests of the simulated fleet a planned city and a fleet that is being served on free ports."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from camera_registry.model.device import Kind
from camera_registry.simulator.member import Member
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation


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
    return next(member for member in fleet.members if member.device.kind is Kind.CAMERA and member.maker.name == maker)
