"""HTTPS of a simulated device: the same HTTP through a tunnel of TLS, with the certificate of who was called.

One socket serves all devices, so which certificate to show is known only when somebody has connected: event loops want
to know it before.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from camera_registry.simulator.faults import Fault, Faults
from camera_registry.simulator.http import HttpConnection
from camera_registry.simulator.papers import Paper, context_for

ALERT = bytes((21, 3, 3, 0, 2, 2, 40))
"""A TLS record: fatal alert, handshake failure (RFC 8446 sections 5.1 and 6)."""
LARGEST_READ = 65_536


class Tunnel(asyncio.Transport):
    """A transport that encrypts what is written; what comes is handed to ``read``. Closed without a goodbye, as cameras
    do."""

    def __init__(self, outside: asyncio.Transport) -> None:
        super().__init__()
        self.outside = outside
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._agreed = False

    def begin(self, context: ssl.SSLContext) -> None:
        """Be ready for the client's greeting."""
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def read(self, data: bytes) -> bytes:
        """What the client says by ``data``, if anything yet. Raises ssl.SSLError."""
        assert self._tls is not None
        self._incoming.write(data)
        plain = bytearray()
        try:
            if not self._agreed:
                self._tls.do_handshake()
                self._agreed = True
            while part := self._tls.read(LARGEST_READ):
                plain += part
        except ssl.SSLWantReadError:
            pass
        finally:
            self._flush()
        return bytes(plain)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._tls is not None and self._agreed:
            self._tls.write(data)
            self._flush()

    def _flush(self) -> None:
        if sealed := self._outgoing.read():
            self.outside.write(sealed)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.outside.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self.outside.is_closing()

    def pause_reading(self) -> None:
        self.outside.pause_reading()

    def close(self) -> None:
        self.outside.close()

    def abort(self) -> None:
        self.outside.abort()


class HttpsConnection(HttpConnection):
    """HTTP for those who agree on encryption first."""

    __slots__ = ("_tunnel",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._tunnel = Tunnel(transport)  # type: ignore[arg-type] # uvloop's transports are so in all but name
        super().connection_made(self._tunnel)

    def opened(self) -> None:
        member = self.device.member
        if member.encrypts:
            self._tunnel.begin(context_for(member.maker.name, _paper(self.device.faults)))
        else:
            self.reset()

    def data_received(self, data: bytes) -> None:
        faults = self.device.faults
        if self.silent or Fault.HANG in faults:
            return
        if Fault.TLS_BROKEN in faults:
            self._tunnel.outside.write(ALERT)
            self._tunnel.close()
            return
        try:
            plain = self._tunnel.read(data)
        except ssl.SSLError:
            self._tunnel.abort()
            return
        if plain:
            super().data_received(plain)


def _paper(faults: Faults) -> Paper:
    if Fault.CERTIFICATE_CHANGED in faults:
        return Paper.OTHER
    return Paper.EXPIRING if Fault.CERTIFICATE_EXPIRING in faults else Paper.OWN
