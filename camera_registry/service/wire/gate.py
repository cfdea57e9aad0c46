"""Where polling processes that were started by themselves meet the service: a Unix socket in its data directory.

Whoever may open it (the same account, or root) is told the passwords of the devices that it polls. Those for whom there
is no share left wait, and take the place of the first that dies.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
from contextlib import suppress
from pathlib import Path

from camera_registry.link.pipe import Broken, Pipe
from camera_registry.texts.errors import TellableError

log = logging.getLogger(__name__)

SOCKET = "pollers.sock"
"""In the data directory."""
WAITING = 16
"""Pollers that may wait for their turn."""
FIRST_WORD = 60.0
"""Seconds that one whose turn has come may take to say its first word."""
AGAIN = 1.0
"""Seconds between two tries to reach the service."""


class GateError(TellableError):
    """Nobody could come; the message says where, why and what to do."""

    section = "gate_error"


class Gate:
    """The service's side. It belongs to the event loop; ``close`` it at the end."""

    def __init__(self, path: Path) -> None:
        """Listen. The claim on the database has said that no other service of this directory lives: a socket that is
        there is a dead one's. Raises GateError."""
        path.unlink(missing_ok=True)
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)
        try:
            self._socket.bind(str(path))
            self._socket.listen(WAITING)
        except OSError as error:
            self._socket.close()
            raise GateError("unopened", socket=path, why=error.strerror or error) from error
        finally:
            os.umask(before)
        self._socket.setblocking(False)
        self._turn = asyncio.Lock()

    def close(self) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)

    async def next(self) -> tuple[int, Pipe]:
        """The next poller that has come and is still there, greeted: the number of its process, and our end."""
        while True:
            async with self._turn:
                sock, _ = await asyncio.get_running_loop().sock_accept(self._socket)
            # struct ucred of unix(7): process, user, group.
            credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            pid: int = struct.unpack("3i", credentials)[0]
            pipe = await Pipe.over(sock)
            try:
                async with asyncio.timeout(FIRST_WORD):
                    await pipe.greet()
            except (ConnectionError, TimeoutError):
                pipe.close()  # it left while it waited
            except Broken as error:
                log.warning("a poller (process %d) is sent away: %s", pid, error)
                pipe.close()
            except BaseException:
                pipe.close()
                raise
            else:
                log.info("a poller has come: process %d", pid)
                return pid, pipe


async def reach(path: Path) -> Pipe:
    """The poller's side: an end to the service of that socket, as soon as there is one."""
    told = False
    while True:
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, str(path))
            return await Pipe.over(sock)
        except OSError as error:
            sock.close()
            if not told:
                why = error.strerror or error
                log.warning("%s: no service is there (%s): start `serve --role core` with these settings", path, why)
                told = True
        except BaseException:
            with suppress(OSError):
                sock.close()
            raise
        await asyncio.sleep(AGAIN)
