"""The management port of switches and of traffic units without a picture: it greets, and that is all."""

from __future__ import annotations

from camera_registry.simulator.connection import Connection


class ManagementConnection(Connection):
    """A login prompt that lets nobody in."""

    __slots__ = ()

    def opened(self) -> None:
        if not self.device.member.greets:
            self.reset()
            return
        self.device.counts.request("tcp.connect")
        self.send(f"\r\n{self.device.member.id} login: ".encode())

    def received(self, data: bytes) -> bytes:
        if b"\n" in data:
            self.send(b"\r\nLogin incorrect\r\n")
            self.hang_up()
        return b""
