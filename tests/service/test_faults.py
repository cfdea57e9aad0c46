"""Every fault that the simulated fleet can have is told by its own cause and no other, and by its first broken link."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from camera_registry.app import App
from camera_registry.board import BoardEntry, chain_of
from camera_registry.model.chain import Link, first_broken
from camera_registry.model.device import Kind
from camera_registry.model.health import Cause, Status
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.simulation import Simulation
from tests.service.whole import serving, until, write_settings

FLEET = Fleet.plan(24, seed=5)
CAMERAS = [member.id for member in FLEET.members if member.device.kind is Kind.CAMERA and not member.device.probes]
TIMEOUT = 1.9
"""As ``whole.SETTINGS`` has it, seconds."""


class Told(NamedTuple):
    """What must be told of a camera with a fault: any of these causes alone, and where the chain is broken."""

    causes: frozenset[Cause]
    link: Link | None
    options: dict[str, float]


def told(*causes: Cause, at: Link | None, **options: float) -> Told:
    return Told(frozenset(causes), at, options)


FAULTS = {
    # Its switch says that the port has no link, or feeds nothing.
    Fault.POWER_OFF: told(Cause.UNREACHABLE, at=Link.HOST),
    Fault.POE_OFF: told(Cause.POWER, at=Link.HOST),
    Fault.HANG: told(Cause.TIMEOUT, at=Link.PORT),
    Fault.SLOW_DRIP: told(Cause.TIMEOUT, at=Link.PORT),
    # The kernel takes a connection before the fleet can reset it: that is refused, or cut off.
    Fault.REFUSED: told(Cause.REFUSED, Cause.PROTOCOL, at=Link.PORT),
    Fault.WRONG_PASSWORD: told(Cause.AUTH, at=Link.CREDENTIALS),
    Fault.CLOCK_DRIFT: told(Cause.CLOCK_DRIFT, at=Link.CLOCK, seconds=86400),
    Fault.BUSY: told(Cause.BUSY, at=Link.STREAM),
    Fault.NO_STREAM: told(Cause.NO_STREAM, at=Link.STREAM),
    Fault.UNDECODABLE: told(Cause.UNDECODABLE, at=Link.FRAME),
    Fault.NO_MEDIA: told(Cause.NO_MEDIA, at=Link.FRAME),
    Fault.BLACK: told(Cause.BLACK, at=Link.FRAME),
    Fault.FROZEN: told(Cause.FROZEN, at=Link.FRAME),
    Fault.NO_SIGNAL: told(Cause.NO_SIGNAL, at=Link.FRAME),
    # Another unit answers just as well: no link is broken.
    Fault.SERIAL_SWAPPED: told(Cause.REPLACED, at=None),
    Fault.HELD: told(Cause.FROZEN, at=Link.FRAME),
}
ELSEWHERE = {
    Fault.ON_BATTERY: "tests/simulator/test_links.py",
    Fault.CERTIFICATE_CHANGED: "tests/simulator/test_links.py",
    Fault.CERTIFICATE_EXPIRING: "tests/simulator/test_links.py",
    Fault.TLS_BROKEN: "tests/simulator/test_links.py",
    Fault.LOW_FRAME_RATE: "tests/simulator/test_streams.py",
    Fault.WRONG_STREAM: "tests/simulator/test_streams.py",
    Fault.RECORDING_GAP: "tests/simulator/test_with_probes.py",
    Fault.STORAGE_FAULT: "tests/simulator/test_with_probes.py",
    Fault.OSD_WRONG: "tests/service/test_burnt_in_clocks.py",
    Fault.OSD_STOPPED: "tests/service/test_burnt_in_clocks.py",
    Fault.SWITCH_DOWN: "tests/service/test_whole_path.py",
    Fault.FLAPPING: "tests/rules/test_health.py",
    Fault.OSD_WRONG: "tests/service/test_burnt_in_clocks.py",
    Fault.OSD_STOPPED: "tests/service/test_burnt_in_clocks.py",
    # Told by comparison with earlier pictures, which a fleet of a minute's age has not.
    Fault.COVERED: "tests/picture/test_judgement.py",
    Fault.BLURRED: "tests/picture/test_judgement.py",
    Fault.MOVED: "tests/service/test_pictures.py",
}


def test_no_fault_of_the_fleet_is_left_out():
    assert set(FAULTS) | set(ELSEWHERE) == set(Fault)


async def test_each_fault_is_told_by_its_own_cause_and_its_first_broken_link_in_time(tmp_path: Path):
    cameras = dict(zip(FAULTS, CAMERAS, strict=False))
    assert len(cameras) == len(FAULTS), "plan a larger fleet"
    settings = write_settings(tmp_path, probes="rtsp_frames = true")
    async with Simulation(FLEET) as simulation:
        async with serving(settings, simulation) as app:
            await until(lambda: [entry.status for entry in app.board] == [Status.OK] * len(FLEET.members))
            await until(lambda: all(len(_entry(app, camera).probes) == 3 for camera in CAMERAS))
            # The way is looked at when silence begins: what had no answer for want of a processor must have had one.
            silent = [camera for fault, camera in cameras.items() if FAULTS[fault].link in (Link.HOST, Link.PORT)]
            await until(lambda: all(run.failure is None for camera in silent for run in _entry(app, camera).probes))
            for fault, camera in cameras.items():
                simulation.faults.set(camera, fault, **FAULTS[fault].options)
            try:
                await until(lambda: all(_is_told(app, camera, FAULTS[fault]) for fault, camera in cameras.items()))
            except TimeoutError:
                shown = {fault.value: (_causes(app, camera), _broken(app, camera)) for fault, camera in cameras.items()}
                raise AssertionError(shown) from None
            for camera in CAMERAS[len(FAULTS) :]:
                assert _causes(app, camera) == set()
            assert max(run.took for entry in app.board for run in entry.probes) < TIMEOUT + 1
        await until(lambda: simulation.totals().open_sessions == 0)
        assert simulation.totals().forbidden == 0, "among them would be a subscription"


def _entry(app: App, device: str) -> BoardEntry:
    entry = app.board.get(device)
    assert entry is not None
    return entry


def _causes(app: App, device: str) -> set[Cause]:
    return {reason.cause for reason in _entry(app, device).reasons}


def _broken(app: App, device: str) -> Link | None:
    broken = first_broken(chain_of(_entry(app, device)))
    return broken.link if broken else None


def _is_told(app: App, device: str, wanted: Told) -> bool:
    causes = _causes(app, device)
    return bool(causes) and causes <= wanted.causes and _broken(app, device) is wanted.link
