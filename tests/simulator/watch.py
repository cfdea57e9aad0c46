"""Runs probes on one simulated device, as the service would."""

from __future__ import annotations

from camera_registry.model.observation import Observation
from camera_registry.model.people import Credential
from camera_registry.model.roster import Target
from camera_registry.simulator.member import Member
from camera_registry.simulator.simulation import Simulation
from probes.base import Pictures, Tools, observe
from probes.catalog import load
from probes.guard import AddressGuard
from probes.memory import Memory


class Watch:
    """Runs probes on one device, as long-lived as a poller."""

    def __init__(self, simulation: Simulation, member: Member, pictures: Pictures | None = None) -> None:
        ports, device = simulation.ports, member.on(simulation.ports)
        known = {"onvif": ports.http, "http": device.http_port, "rtsp": device.rtsp_port, "tcp": device.tcp_port}
        self.member = member
        self.target = Target(member.id, device.host, known, "login")
        login = Credential("login", member.username, member.password)
        self.tools = Tools(AddressGuard(["127.0.0.0/8"]), Memory(), {"login": login}.get, pictures)

    async def see(self, probe: str, timeout: float = 20, **options: object) -> Observation:
        return await observe(probe, load(probe), self.target, options, self.tools, timeout=timeout)

    async def stream(self, timeout: float = 20) -> Observation:
        return await self.see("rtsp", timeout, path=self.member.stream_path(), frames=True)
