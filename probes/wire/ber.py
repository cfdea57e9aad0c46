"""This file writes and reads the few forms of BER (ITU-T X.690) that SNMP is made of (RFC 3417 section 8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum

from probes.wire import WireError

Oid = tuple[int, ...]


class Tag(IntEnum):
    """The types of values (RFC 2578 section 7.1, RFC 3416 section 3)."""

    INTEGER = 0x02
    OCTETS = 0x04
    NULL = 0x05
    OID = 0x06
    SEQUENCE = 0x30
    ADDRESS = 0x40
    COUNTER = 0x41
    GAUGE = 0x42
    TICKS = 0x43
    OPAQUE = 0x44
    COUNTER64 = 0x46
    NO_OBJECT = 0x80
    NO_INSTANCE = 0x81
    END_OF_MIB = 0x82


NUMBERS = frozenset({Tag.INTEGER, Tag.COUNTER, Tag.GAUGE, Tag.TICKS, Tag.COUNTER64})
ABSENT = frozenset({Tag.NULL, Tag.NO_OBJECT, Tag.NO_INSTANCE, Tag.END_OF_MIB})

_OID_PARTS = 128
"""Numbers of one identifier (RFC 2578 section 3.5)."""
_LARGEST_NUMBER = 9
"""Bytes of a number: 64 bits without a sign and one byte before them."""


def write(tag: int, content: bytes) -> bytes:
    """One element."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def integer(value: int, tag: int = Tag.INTEGER) -> bytes:
    """A number, in as few bytes as hold it with its sign."""
    return write(tag, value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True))


def oid(numbers: Sequence[int]) -> bytes:
    """An object identifier of two or more numbers."""
    content = bytearray()
    for number in (40 * numbers[0] + numbers[1], *numbers[2:]):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7F)
        content += bytes(reversed(groups))
    return write(Tag.OID, bytes(content))


def sequence(parts: Iterable[bytes], tag: int = Tag.SEQUENCE) -> bytes:
    """Elements as one."""
    return write(tag, b"".join(parts))


class Reader:
    """Reads one element after the other, never past ``end``. Raises WireError for what is none."""

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self._data = data
        self._end = len(data) if end is None else end
        self.at = at

    @property
    def done(self) -> bool:
        return self.at >= self._end

    def element(self) -> tuple[int, bytes]:
        """Tag and content of the next element."""
        tag, start, end = self._next()
        return tag, self._data[start:end]

    def expect(self, tag: int) -> bytes:
        """The content of the next element, which has this tag."""
        start, end = self._expect(tag)
        return self._data[start:end]

    def inside(self, tag: int) -> Reader:
        """A reader of what is in the next element, which has this tag."""
        return Reader(self._data, *self._expect(tag))

    def whole(self) -> bytes:
        """The next element as it stands, head and all."""
        begun = self.at
        self._next()
        return self._data[begun : self.at]

    def integer(self) -> int:
        return to_integer(self.expect(Tag.INTEGER))

    def _expect(self, tag: int) -> tuple[int, int]:
        found, start, end = self._next()
        if found != tag:
            raise WireError(f"the message has an element of type {found:#x} where {tag:#x} belongs")
        return start, end

    def _next(self) -> tuple[int, int, int]:
        """Tag, and where the content of the next element begins and ends."""
        data, at = self._data, self.at
        if at + 2 > self._end:
            raise WireError("the message ends before its time")
        tag, size = data[at], data[at + 1]
        at += 2
        if size & 0x80:
            octets = size & 0x7F
            if not 0 < octets <= 4 or at + octets > self._end:
                raise WireError("the message has an element of no known length")
            size = int.from_bytes(data[at : at + octets], "big")
            at += octets
        if at + size > self._end:
            raise WireError("the message has an element that is longer than itself")
        self.at = at + size
        return tag, at, at + size


def to_integer(content: bytes, *, signed: bool = True) -> int:
    """Raises WireError for a number of no or too many bytes."""
    if not 0 < len(content) <= _LARGEST_NUMBER:
        raise WireError(f"a number has {len(content)} bytes")
    return int.from_bytes(content, "big", signed=signed)


def to_oid(content: bytes) -> Oid:
    """Raises WireError for what is no object identifier."""
    numbers: list[int] = []
    number, begun = 0, False
    for octet in content:
        number, begun = number << 7 | octet & 0x7F, True
        if number >> 32:
            raise WireError("an object identifier has a number of more than 32 bits")
        if not octet & 0x80:
            numbers.append(number)
            number, begun = 0, False
    if begun or not numbers or len(numbers) > _OID_PARTS:
        raise WireError("an object identifier ends before its time, or never")
    first = min(numbers[0] // 40, 2)
    return (first, numbers[0] - 40 * first, *numbers[1:])
