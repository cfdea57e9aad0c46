"""HTTPS of a simulated device: agrees on encryption with the certificate of the device that was called, and leaves the
rest to its HTTP."""

from __future__ import annotations

import ssl

from camera_registry.simulator.connection import Connection
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.http import HttpConnection
from camera_registry.simulator.papers import Paper, context_for

ALERT = bytes((21, 3, 3, 0, 2, 2, 40))
"""A TLS record: fatal alert, handshake failure (RFC 8446 sections 5.1 and 6)."""


class HttpsConnection(Connection):
    """The door: one address for all, so the certificate can be chosen only when somebody stands before it."""

    __slots__ = ("_agreeing",)

    def opened(self) -> None:
        if not self.device.member.encrypts:
            self.reset()
        elif Fault.HANG not in self.device.faults and Fault.TLS_BROKEN not in self.device.faults:
            self.transport.pause_reading()
            self._agreeing = self.loop.create_task(self._agree())

    def received(self, data: bytes) -> bytes:
        if Fault.TLS_BROKEN in self.device.faults:
            self.send(ALERT)
            self.hang_up()
        return b""

    async def _agree(self) -> None:
        """Hand the connection over to one that reads what was encrypted."""
        faults = self.device.faults
        paper = Paper.OWN
        if Fault.CERTIFICATE_CHANGED in faults:
            paper = Paper.OTHER
        elif Fault.CERTIFICATE_EXPIRING in faults:
            paper = Paper.EXPIRING
        inside = EncryptedHttp(self.premises, self.loop)
        context = context_for(self.device.member.maker.name, paper)
        try:
            encrypted = await self.loop.start_tls(self.transport, inside, context, server_side=True)
        except (OSError, ssl.SSLError):
            self.transport.abort()
            encrypted = None
        finally:
            self.premises.connections.discard(self)
            self.premises.left()
        if encrypted is not None:
            inside.connection_made(encrypted)


class EncryptedHttp(HttpConnection):
    """The same HTTP, for whoever has been let in by the door."""

    __slots__ = ()

    def opened(self) -> None:
        """Nothing is left to check."""
