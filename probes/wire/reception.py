"""This file counts how RTP packets arrive: which are lost, how evenly the others come (RFC 3550 section 6.4.1)."""

from __future__ import annotations

from probes.wire.rtp import Packet

LARGEST_STEP = 3000
"""Packets that may be missing in a row; a larger step, or one backwards, is a sender that counts anew (MAX_DROPOUT)."""
WIDEST_MISORDER = 100
"""Packets by which one may be late (MAX_MISORDER)."""
DEPTH = 16
"""Packets that are held while one before them may still come."""


class Reception:
    """Statistics of one source, as appendices A.1, A.3 and A.8 compute them. Times of arrival are seconds of any clock.

    ``received`` counts repeated packets too, so ``lost`` may be understated by them, as in the RFC.
    """

    def __init__(self, clock_rate: int) -> None:
        self.received = 0
        self._clock_rate = clock_rate
        self._source: int | None = None
        self._first = 0
        self._highest = 0
        """Extended: with the number of times that the sequence number went round."""
        self._earlier = 0
        """Packets expected before the sender counted anew."""
        self._transit: float | None = None
        self._jitter = 0.0

    @property
    def expected(self) -> int:
        """Packets that were sent, as their numbers tell."""
        return self._earlier + (self._highest - self._first + 1 if self._source is not None else 0)

    @property
    def lost(self) -> int:
        return max(0, self.expected - self.received)

    @property
    def jitter(self) -> float:
        """Interarrival jitter, seconds."""
        return self._jitter / self._clock_rate

    def add(self, packet: Packet, arrival: float) -> None:
        self.received += 1
        step = (packet.sequence - self._highest) & 0xFFFF
        late = step > 0xFFFF - WIDEST_MISORDER
        if packet.source != self._source or (step >= LARGEST_STEP and not late):
            self._begin(packet)
        elif not late:
            self._highest += step
        transit = arrival * self._clock_rate - packet.timestamp
        if self._transit is not None:
            moved = abs(transit - self._transit)
            # The timestamp went round (13 hours at 90 kHz), or the sender has set its clock: that is no jitter.
            if moved < 10 * self._clock_rate:
                self._jitter += (moved - self._jitter) / 16
        self._transit = transit

    def _begin(self, packet: Packet) -> None:
        self._earlier = self.expected
        self._source = packet.source
        self._first = self._highest = packet.sequence
        self._transit = None


class Sorter:
    """Puts packets that overtook each other on the network back in order, as far as ``DEPTH`` packets allow."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._held: dict[int, Packet] = {}

    def add(self, packet: Packet) -> list[Packet]:
        """The packets whose turn it is now."""
        if self._next is None or packet.sequence == self._next:
            self._next = (packet.sequence + 1) & 0xFFFF
            return [packet, *self._following()]
        if (packet.sequence - self._next) & 0xFFFF >= 0x8000:
            return []  # repeated, or too late
        self._held[packet.sequence] = packet
        if len(self._held) <= DEPTH:
            return []
        # What is missing is lost: go on with the first that is there.
        missing = self._next
        self._next = min(self._held, key=lambda number: (number - missing) & 0xFFFF)
        return list(self._following())

    def _following(self) -> list[Packet]:
        ready: list[Packet] = []
        while self._next is not None and (packet := self._held.pop(self._next, None)) is not None:
            ready.append(packet)
            self._next = (self._next + 1) & 0xFFFF
        return ready
