"""Plays a video to one client: its pictures as RTP packets, and the reports of a sender beside them (RFC 3550)."""

from __future__ import annotations

import struct
from random import Random

from camera_registry.simulator.video import CLOCK_RATE, Video

NTP_EPOCH = 2_208_988_800
"""Seconds from 1900, where NTP begins, to 1970."""
SENDER_REPORT, DESCRIPTION = 200, 202


class Player:
    """Packets of one stream, picture by picture."""

    __slots__ = ("_next", "_octets", "_packets", "_sequence", "_source", "_timestamp", "_video")

    def __init__(self, source: int, sequence: int, timestamp: int) -> None:
        self._source = source
        self._sequence = sequence
        self._timestamp = timestamp
        self._next = 0
        self._packets = 0
        self._octets = 0
        self._video: Video | None = None

    def picture(self, video: Video, rate: float, *, frozen: bool = False, noise: Random | None = None) -> list[bytes]:
        """The packets of the next picture, one of ``rate`` a second; ``frozen`` repeats the key frame for ever, with
        ``noise`` they hold nothing else."""
        if video is not self._video:
            self._video, self._next = video, 0  # another scene begins with a key frame
        packets: list[bytes] = []
        for marker, payload in video.frames[0 if frozen else self._next % len(video.frames)]:
            kind = video.payload_type | (marker << 7)
            head = struct.pack("!BBHII", 0x80, kind, self._sequence, self._timestamp, self._source)
            packets.append(head + (payload if noise is None else b"\xff" + noise.randbytes(len(payload) - 1)))
            self._sequence = (self._sequence + 1) & 0xFFFF
            self._octets += len(payload)
        self._packets += len(packets)
        self._timestamp = (self._timestamp + round(CLOCK_RATE / rate)) & 0xFFFFFFFF
        self._next += 1
        return packets

    def report(self, clock: float) -> bytes:
        """A sender report at ``clock`` by the device's own time, and who sends it (RFC 3550, 6.4.1 and 6.5)."""
        seconds, fraction = divmod(clock + NTP_EPOCH, 1)
        sender = struct.pack(
            "!BBHIIIIII",
            0x80,
            SENDER_REPORT,
            6,
            self._source,
            int(seconds) & 0xFFFFFFFF,
            int(fraction * 2**32),
            self._timestamp,
            self._packets & 0xFFFFFFFF,
            self._octets & 0xFFFFFFFF,
        )
        return sender + struct.pack("!BBHI8s", 0x81, DESCRIPTION, 3, self._source, b"\x01\x04cam0\x00\x00")
