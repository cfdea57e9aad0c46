"""This file finds frames, and the first key frame, in RTP packets (RFC 3550): H.264 (RFC 6184), H.265 (RFC 7798), and
JPEG (RFC 2435), whose frames are all key frames. Of other codecs it counts the frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from probes.wire import WireError, h264, h265
from probes.wire.h264 import Size

FRAME_LIMIT = 8 * 1024 * 1024
"""Bytes of one frame; what is larger is dropped."""

_START_CODE = b"\x00\x00\x00\x01"


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet, padding and extension removed."""

    payload_type: int
    sequence: int
    timestamp: int
    marker: bool
    payload: bytes


def read_packet(data: bytes) -> Packet:
    """Raises WireError for what is not RTP version 2 or is cut short."""
    if len(data) < 12 or data[0] >> 6 != 2:
        raise WireError("not an RTP packet")
    begin = 12 + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:
        if len(data) < begin + 4:
            raise WireError("an RTP packet that ends inside its header")
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4], "big")
    end = len(data) - (data[-1] if data[0] & 0x20 else 0)
    if begin > end:
        raise WireError("an RTP packet that ends inside its header")
    return Packet(
        payload_type=data[1] & 0x7F,
        sequence=int.from_bytes(data[2:4], "big"),
        timestamp=int.from_bytes(data[4:8], "big"),
        marker=bool(data[1] & 0x80),
        payload=data[begin:end],
    )


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A whole key frame. ``data``: H.264/H.265 with start codes and its parameter sets; empty for other codecs."""

    size: Size | None
    data: bytes = b""


class FrameFinder:
    """Takes RTP packets of one stream; ``frames`` counts whole frames, ``key`` is the first key frame.

    ``parameter_sets`` are those of the description; newer ones in the stream replace them. A frame with a lost packet
    is not counted. ``unreadable`` counts packets that made no sense.
    """

    def __init__(self, codec: str, parameter_sets: Iterable[bytes] = ()) -> None:
        self.codec = codec
        self.frames = 0
        self.unreadable = 0
        self.key: KeyFrame | None = None
        self._sets: dict[int, bytes] = {}
        self._nals: list[bytes] = []
        self._held = 0
        self._fragment: bytearray | None = None
        self._broken = False
        self._timestamp: int | None = None
        self._sequence: int | None = None
        self._jpeg_size: Size | None = None
        for nal in parameter_sets:
            self._keep_set(nal)

    @property
    def size(self) -> Size | None:
        """The picture size as far as the parameter sets give it."""
        if self.codec == "JPEG":
            return self._jpeg_size
        return read_size(self.codec, self._sets.values())

    def add(self, packet: Packet) -> None:
        """Take in one packet. Never raises: what can't be read is counted in ``unreadable``."""
        if self._sequence is not None:
            step = (packet.sequence - self._sequence) & 0xFFFF
            if step == 0 or step > 0x8000:
                return  # a repeated or late packet; over TCP there are none
            if step > 1:
                self._broken, self._fragment = True, None
        self._sequence = packet.sequence
        if self._timestamp is not None and packet.timestamp != self._timestamp and self._nals:
            self._finish()  # the marker of the frame before was lost or never set
        self._timestamp = packet.timestamp
        try:
            self._take(packet.payload)
        except WireError:
            self.unreadable += 1
            self._broken = True
        if packet.marker:
            self._finish()

    def _take(self, payload: bytes) -> None:
        if not payload:
            return
        if self.codec == "H264":
            self._take_h264(payload)
        elif self.codec == "H265":
            self._take_h265(payload)
        else:
            if self.codec == "JPEG":
                if len(payload) < 8:
                    raise WireError("a JPEG packet that ends inside its header")
                # RFC 2435 section 3.1: sizes in units of 8 pixels; 0 means too large to say.
                if payload[6] and payload[7]:
                    self._jpeg_size = Size(8 * payload[6], 8 * payload[7])
            self._nals.append(b"")

    def _take_h264(self, payload: bytes) -> None:
        kind = payload[0] & 0x1F
        if 1 <= kind <= 23:
            self._keep(payload)
        elif kind == 24:  # STAP-A
            self._keep_all(payload, 1)
        elif kind == 28 and len(payload) > 2:  # FU-A
            header = bytes([payload[0] & 0xE0 | payload[1] & 0x1F])
            self._join(header, payload[1], payload[2:])
        else:
            raise WireError("an H.264 packet of a kind that is not used here")

    def _take_h265(self, payload: bytes) -> None:
        if len(payload) < 3:
            raise WireError("an H.265 packet that ends inside its header")
        kind = h265.nal_type(payload)
        if kind <= 40:
            self._keep(payload)
        elif kind == 48:  # aggregation
            self._keep_all(payload, 2)
        elif kind == 49 and len(payload) > 3:  # fragment
            header = bytes([payload[0] & 0x81 | (payload[2] & 0x3F) << 1, payload[1]])
            self._join(header, payload[2], payload[3:])
        else:
            raise WireError("an H.265 packet of a kind that is not used here")

    def _join(self, header: bytes, flags: int, part: bytes) -> None:
        if flags & 0x80:
            self._fragment = bytearray(header)
        elif self._fragment is None:
            self._broken = True
            return
        assert self._fragment is not None
        self._fragment += part
        if len(self._fragment) > FRAME_LIMIT:
            self._fragment, self._broken = None, True
        elif flags & 0x40:
            whole, self._fragment = bytes(self._fragment), None
            self._keep(whole)

    def _keep_all(self, payload: bytes, position: int) -> None:
        while position + 2 <= len(payload):
            length = int.from_bytes(payload[position : position + 2], "big")
            nal = payload[position + 2 : position + 2 + length]
            if not nal or len(nal) < length:
                raise WireError("an aggregated packet that is cut short")
            self._keep(nal)
            position += 2 + length

    def _keep(self, nal: bytes) -> None:
        self._keep_set(nal)
        self._held += len(nal)
        if self._held > FRAME_LIMIT:
            self._broken = True
        else:
            self._nals.append(nal)

    def _keep_set(self, nal: bytes) -> None:
        if _is_parameter_set(self.codec, nal):
            self._sets[_nal_type(self.codec, nal)] = nal

    def _finish(self) -> None:
        nals, whole = self._nals, not self._broken and self._fragment is None
        self._nals, self._held, self._broken, self._fragment = [], 0, False, None
        if not nals or not whole:
            return
        if self.codec in ("H264", "H265"):
            if not any(_is_slice(self.codec, nal) for nal in nals):
                return  # parameter sets or SEI on their own
            self.frames += 1
            if self.key is None and any(_is_key(self.codec, nal) for nal in nals):
                slices = [nal for nal in nals if not _is_parameter_set(self.codec, nal)]
                data = b"".join(_START_CODE + nal for nal in (*self._ordered_sets(), *slices))
                self.key = KeyFrame(self.size, data)
        else:
            self.frames += 1
            self.key = self.key or KeyFrame(self.size)

    def _ordered_sets(self) -> list[bytes]:
        return [self._sets[kind] for kind in sorted(self._sets)]


def read_size(codec: str, parameter_sets: Iterable[bytes]) -> Size | None:
    """The size that the first readable sequence parameter set gives, or None."""
    return next((size for nal in parameter_sets if (size := _size_of(codec, nal)) is not None), None)


@lru_cache(maxsize=4096)
def _size_of(codec: str, nal: bytes) -> Size | None:
    """The same few parameter sets come again from every device of a kind, each time it is asked."""
    try:
        if codec == "H264" and h264.nal_type(nal) == h264.NAL_SPS:
            return h264.read_size(nal)
        if codec == "H265" and h265.nal_type(nal) == h265.NAL_SPS:
            return h265.read_size(nal)
    except WireError:
        pass
    return None


def _nal_type(codec: str, nal: bytes) -> int:
    return h264.nal_type(nal) if codec == "H264" else h265.nal_type(nal)


def _is_parameter_set(codec: str, nal: bytes) -> bool:
    sets: Sequence[int] = (
        (h264.NAL_SPS, h264.NAL_PPS) if codec == "H264" else (h265.NAL_VPS, h265.NAL_SPS, h265.NAL_PPS)
    )
    return codec in ("H264", "H265") and _nal_type(codec, nal) in sets


def _is_slice(codec: str, nal: bytes) -> bool:
    kind = _nal_type(codec, nal)
    return 1 <= kind <= 5 if codec == "H264" else kind < 32


def _is_key(codec: str, nal: bytes) -> bool:
    kind = _nal_type(codec, nal)
    return kind == h264.NAL_IDR if codec == "H264" else kind in h265.NAL_RANDOM_ACCESS
