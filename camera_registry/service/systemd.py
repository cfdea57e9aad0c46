"""This file tells systemd that the service is ready, and that its loops turn: see sd_notify(3) and
sd_watchdog_enabled(3). Where nobody listens (no systemd, or a unit without Type=notify) it does nothing."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Mapping

from camera_registry.service.pulse import Pulse

log = logging.getLogger(__name__)

MEASURING = "poller"
"""The loop whose stall a restart mends. The recorder's may be the database's doing, and then measuring goes on from
memory, which a restart would lose."""
SHARE = 0.4
"""Of systemd's patience, after which it hears of us again."""


class Supervisor:
    """The other end of NOTIFY_SOCKET, if there is one."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A name that begins with @ has no place in the file system (unix(7)).
        self._address = "\0" + address[1:] if address.startswith("@") else address
        ours = environ.get("WATCHDOG_PID") in (None, "", str(os.getpid()))
        microseconds = environ.get("WATCHDOG_USEC", "")
        self.patience = int(microseconds) / 1e6 if ours and microseconds.isdigit() else 0.0
        """Seconds without a sign of life after which systemd restarts the service; 0: it does not watch."""

    def tell(self, state: str) -> None:
        """Send ``state``, such as ``READY=1``. What can't be sent is logged: the service goes on."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.setblocking(False)
                sock.sendto(state.encode(), self._address)
        except OSError as error:
            log.warning("systemd does not hear us: %s", error)

    async def watch(self, pulse: Pulse, *, polls: bool = True) -> None:
        """Give a sign of life while we measure, until cancelled: a service that measures no more is restarted. Where
        others poll a restart of ours would not bring them back."""
        while self.patience:
            if polls and MEASURING in pulse.stalled:
                log.error("systemd is told nothing any more: the %s turns no more", MEASURING)
            else:
                self.tell("WATCHDOG=1")
            await asyncio.sleep(self.patience * SHARE)
