"""This file runs the simulated fleet beside the benchmarks: a process of its own, on a processor of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.ports import free_ports
from bench.processes import other_processor, program, wait_for
from camera_registry.model.people import Credential
from camera_registry.model.register import Register
from camera_registry.simulator.member import Ports
from camera_registry.simulator.plan import Fleet

SEED = 1
READY_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Served:
    """A fleet that answers. ``inventory`` is its CSV, ``credentials`` what its devices accept, by name."""

    register: Register
    credentials: dict[str, Credential]
    inventory: Path
    ports: Ports
    pid: int


@dataclass(frozen=True, slots=True)
class Hung:
    """So many cameras take connections and answer nothing, from so many seconds after the fleet's start on."""

    count: int
    at: float

    def script(self) -> str:
        """As `simulate --faults` reads it."""
        return f'[[step]]\nat = {self.at:g}\nfault = "hang"\npick = {{ kind = "camera", count = {self.count} }}\n'


@contextmanager
def served(devices: int, folder: Path, hung: Hung | None = None) -> Iterator[Served]:
    """``devices`` simulated devices on loopback, until left."""
    fleet = Fleet.plan(devices, SEED)
    ports = Ports(*free_ports(5))
    log, inventory = folder / "simulate.log", folder / "fleet.csv"
    inventory.write_text(fleet.inventory_csv(ports), encoding="utf-8", newline="")
    arguments = ["simulate", "--lang", "en", "--devices", str(devices), "--seed", str(SEED)]
    if hung is not None:
        faults = folder / "faults.toml"
        faults.write_text(hung.script(), encoding="utf-8")
        arguments += ["--faults", str(faults)]
    for name, port in asdict(ports).items():
        arguments += [f"--{name}-port", str(port)]
    credentials = {member.id: Credential(member.id, member.username, member.password) for member in fleet.members}
    with program(arguments, {other_processor()}, log) as process:
        wait_for(process, "devices answer on ports", log, READY_SECONDS)
        yield Served(fleet.register(ports), credentials, inventory, ports, process.pid)
