"""Notices to a syslog server: RFC 5424 over UDP (RFC 5426), TCP (RFC 6587, octet counting) or TLS (RFC 5425).

UDP tells nobody whether a line arrived; where that matters, TCP or TLS is the choice.
"""

from __future__ import annotations

import asyncio
import os
import socket
from datetime import UTC

from camera_registry.channels import SyslogChannel
from camera_registry.model.incident import Severity
from camera_registry.model.notice import Notice, Occasion
from exporters.base import DeliveryError, Message
from exporters.posting import trusting

_LEVELS = {Severity.P1: 2, Severity.P2: 3, Severity.P3: 4, Severity.P4: 5}
_INFORMATIONAL = 6
_MOST = 2048
"""Bytes of a line that every receiver should take (RFC 5424, section 6.1)."""
_BOM = "\ufeff"
# 32473 is the enterprise number for examples (RFC 5612): we have none of our own.
_ELEMENT = "notice@32473"


class Syslog:
    """One syslog server."""

    def __init__(self, settings: SyslogChannel) -> None:
        self._settings = settings

    async def send(self, message: Message) -> None:
        lines = framed(message, self._settings.facility)
        try:
            async with asyncio.timeout(self._settings.timeout):
                if self._settings.transport == "udp":
                    await self._datagrams(lines)
                else:
                    await self._stream(lines)
        except TimeoutError as error:
            raise DeliveryError(f"not taken within {self._settings.timeout:g} s") from error
        except OSError as error:
            raise DeliveryError(f"the syslog server can't be reached: {error.strerror or error}") from error

    async def _datagrams(self, lines: list[bytes]) -> None:
        address = (self._settings.host, self._settings.port)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=address)
        try:
            for line in lines:
                transport.sendto(line)
        finally:
            transport.close()

    async def _stream(self, lines: list[bytes]) -> None:
        tls = trusting(self._settings.ca_file) if self._settings.transport == "tls" else None
        _, writer = await asyncio.open_connection(self._settings.host, self._settings.port, ssl=tls)
        try:
            writer.write(b"".join(b"%d %s" % (len(line), line) for line in lines))
            await writer.drain()
        finally:
            writer.close()
            await writer.wait_closed()

    async def close(self) -> None:
        """Nothing stays open between messages."""


def framed(message: Message, facility: int) -> list[bytes]:
    """One line for each notice, and one for those of a digest that are told by their number alone."""
    lines = [
        _line(message, facility, notice, headline)
        for notice, headline in zip(message.notices, message.headlines, strict=True)
    ]
    return [_line(message, facility, None, message.subject), *lines] if message.digest else lines


def _line(message: Message, facility: int, notice: Notice | None, text: str) -> bytes:
    level = _LEVELS[notice.severity if notice else message.severity]
    if notice is not None and notice.occasion in (Occasion.RESOLVED, Occasion.TEST):
        level = _INFORMATIONAL
    at = message.sent_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {"key": notice.key if notice else message.key}
    if notice is not None and notice.incident is not None:
        told["incident"] = str(notice.incident)
        told |= {name: str(notice.values[name]) for name in ("about", "cause", "area") if notice.values[name]}
    element = " ".join(f'{name}="{_escape(value)}"' for name, value in told.items())
    occasion = notice.occasion.value if notice else "digest"
    host = socket.gethostname().encode("ascii", "replace").decode()[:255] or "-"
    head = f"<{facility * 8 + level}>1 {at} {host} camera-registry {os.getpid()} {occasion} [{_ELEMENT} {element}] "
    # Cut between letters: half a letter is no UTF-8.
    return (head + _BOM + text).encode()[:_MOST].decode(errors="ignore").encode()


def _escape(value: str) -> str:
    """A parameter's value (RFC 5424, section 6.3.3), without what would end its line."""
    shown = "".join(letter if letter.isprintable() else " " for letter in value)
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")
