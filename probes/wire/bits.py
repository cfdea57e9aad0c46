"""This file reads bits and Exp-Golomb numbers (ITU-T H.264 section 9.1) from a video parameter set."""

from __future__ import annotations

from probes.wire import WireError


class BitReader:
    """Reads the payload of a NAL unit, emulation prevention bytes removed. Raises WireError at its end."""

    def __init__(self, payload: bytes) -> None:
        raw = payload.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(raw, "big")
        self._left = 8 * len(raw)

    def bits(self, count: int) -> int:
        """The next ``count`` bits as an unsigned number."""
        if count > self._left:
            raise WireError("a parameter set ends too early")
        self._left -= count
        return (self._value >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        return self.bits(1) == 1

    def skip(self, count: int) -> None:
        self.bits(count)

    def unsigned(self) -> int:
        """ue(v)"""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > 32:
                raise WireError("a number in a parameter set is too long")
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        """se(v)"""
        number = self.unsigned()
        return (number + 1) // 2 if number & 1 else -(number // 2)
