"""This file measures a stream that plays, packet by packet: frames in time, pauses, losses, the sender's clock."""

from __future__ import annotations

from probes.wire import WireError, rtcp, rtp
from probes.wire.h264 import Size
from probes.wire.reception import Reception, Sorter
from probes.wire.rtcp import SenderReport
from probes.wire.rtp import Frame, FrameFinder, Packet
from probes.wire.sdp import Media

PAUSE = 1.0
"""Seconds between two frames that are counted as a pause."""

LARGEST_STEP = 5.0
"""Seconds of RTP time between two frames; more is a sender that has set its clock, and its own time counts no more."""


class Playback:
    """What came of one track. Arrivals are seconds of a clock that never jumps.

    ``packets`` that are RTP, ``octets`` of all, ``unreadable`` that are not; ``finder`` knows the frames.
    ``unordered``: packets may overtake each other, as over UDP, and are put in order first.
    """

    def __init__(self, media: Media, *, unordered: bool = False) -> None:
        size = Size(media.width, media.height) if media.width and media.height else None
        self.finder = FrameFinder(media.codec, media.parameter_sets(), size)
        self.timeline = Timeline(media.clock_rate)
        self.packets = 0
        self.octets = 0
        self.unreadable = 0
        self.sender_clock_offset: float | None = None
        """The sender's clock minus ours, seconds; None while it has not told a time of day."""
        self.key_at = 0.0
        """When the first key frame was whole."""
        self._reception = Reception(media.clock_rate)
        self._sorter = Sorter() if unordered else None
        self._payload_type = media.payload_type
        self._type_seen = False
        self._octets_before = 0

    @property
    def senseless(self) -> bool:
        """Whether most of what came can't be read: chance makes a frame of some of it, and it is none."""
        return 2 * (self.unreadable + self.finder.unreadable) > self.packets + self.unreadable

    def take(self, data: bytes, arrival: float) -> None:
        """One packet of the media channel, whatever it is."""
        self.octets += len(data)
        try:
            packet = rtp.read_packet(data)
        except WireError:
            self.unreadable += 1
            return
        if not self._is_ours(packet):
            return
        self.packets += 1
        self._reception.add(packet, arrival)
        without_key = self.finder.key is None
        for ready in self._sorter.add(packet) if self._sorter is not None else (packet,):
            for frame in self.finder.add(ready):
                if not self.timeline.frames:
                    self._octets_before = self.octets
                self.timeline.add(frame, arrival)
        if without_key and self.finder.key is not None:
            self.key_at = arrival

    def hear(self, data: bytes, clock: float) -> None:
        """One packet of the control channel; ``clock`` is our time of day, seconds since 1970."""
        try:
            reports = rtcp.read(data)
        except WireError:
            return
        for report in reports:
            if isinstance(report, SenderReport) and report.time is not None:
                self.sender_clock_offset = report.time - clock

    def facts(self, end: float | None) -> dict[str, object]:
        """What was measured until ``end``, an arrival; None: only what holds for however short a time."""
        found: dict[str, object] = {
            "frames": self.finder.frames,
            "packets": self.packets,
            "packets_lost": self._reception.lost,
            "key_frame": self.finder.key is not None,
        }
        if self.sender_clock_offset is not None:
            found["sender_clock_offset_seconds"] = round(self.sender_clock_offset, 3)
        if end is None or self.timeline.frames < 2:
            return found
        span = self.timeline.span(end)
        found |= {
            "measured_seconds": round(span, 3),
            "loss_share": round(self._reception.lost / max(1, self._reception.expected), 4),
            "jitter_ms": round(1000 * self._reception.jitter, 2),
            "longest_pause_seconds": round(self.timeline.longest(end), 3),
            "pauses": self.timeline.pauses + (end - self.timeline.last_at > PAUSE),
        }
        if span > 0:
            found["frame_rate"] = round((self.timeline.frames - 1) / span, 2)
            found["bitrate_kbps"] = round((self.octets - self._octets_before) * 8 / 1000 / span, 1)
        if self.timeline.key_interval is not None:
            found["key_frame_interval_seconds"] = round(self.timeline.key_interval, 3)
        return found

    def _is_ours(self, packet: Packet) -> bool:
        """Whether a packet has the announced payload type; others count only while none has come that has it."""
        if packet.payload_type == self._payload_type:
            self._type_seen = True
        return self._type_seen == (packet.payload_type == self._payload_type)


class Timeline:
    """When frames came, by our clock and by the sender's.

    Some devices send what they had kept all at once, others tell nonsense for RTP time: the longer of both times is the
    one in which the frames really arose.
    """

    def __init__(self, clock_rate: int) -> None:
        self.frames = 0
        self.first_at = 0.0
        self.last_at = 0.0
        self.pauses = 0
        self.key_interval: float | None = None
        """Seconds between key frames, of the last two."""
        self._clock_rate = clock_rate
        self._longest = 0.0
        self._newest = 0
        self._media = 0.0
        self._key_media: float | None = None

    def add(self, frame: Frame, arrival: float) -> None:
        """One whole frame."""
        if self.frames:
            self._pass(frame, arrival - self.last_at)
        else:
            self.first_at, self._newest = arrival, frame.timestamp
        self.frames += 1
        self.last_at = arrival
        if frame.key:
            if self._key_media is not None:
                self.key_interval = self._media - self._key_media
            self._key_media = self._media

    def span(self, end: float) -> float:
        """Seconds from the first frame to ``end``."""
        return max(end - self.first_at, self._media)

    def longest(self, end: float) -> float:
        """The longest time without a frame, up to ``end``."""
        return max(self._longest, end - self.last_at)

    def _pass(self, frame: Frame, waited: float) -> None:
        self._longest = max(self._longest, waited)
        self.pauses += waited > PAUSE
        step = (frame.timestamp - self._newest) & 0xFFFFFFFF
        seconds = (step - (step >> 31 << 32)) / self._clock_rate
        if abs(seconds) > LARGEST_STEP:
            seconds = waited
        elif seconds <= 0:
            return  # frames that refer to later ones come in another order
        self._newest = frame.timestamp
        self._media += seconds
