"""This file finds frames, and the first key frame, in RTP packets (RFC 3550): H.264 (RFC 6184), H.265 (RFC 7798), and
JPEG (RFC 2435), whose frames are all key frames. Of other codecs it counts the frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from probes.wire import WireError, h264, h265, rtp_jpeg
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
    source: int = 0


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
        source=int.from_bytes(data[8:12], "big"),
    )


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A whole key frame. ``data``: H.264/H.265 with start codes and its parameter sets, or a JPEG; empty for other
    codecs, and for a JPEG whose size nobody says."""

    size: Size | None
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole frame: its RTP time, and whether a decoder may start at it."""

    timestamp: int
    key: bool


class FrameFinder:
    """Takes RTP packets of one stream; ``frames`` counts whole frames, ``key`` is the first key frame.

    ``parameter_sets`` are those of the description, as is ``size``, which counts where the stream does not say its own;
    newer sets in the stream replace them. A frame with a lost packet is not counted, nor is what begins no picture:
    some devices mark the end of a frame behind each of its slices. ``unreadable`` counts packets that made no sense.
    """

    def __init__(self, codec: str, parameter_sets: Iterable[bytes] = (), size: Size | None = None) -> None:
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
        self._described = size
        self._jpeg_size: Size | None = None
        self._jpeg_tables: dict[int, bytes] = {}
        for nal in parameter_sets:
            self._keep_set(nal)

    @property
    def size(self) -> Size | None:
        """The picture size as far as the parameter sets give it."""
        if self.codec == "JPEG":
            return self._jpeg_size or self._described
        return read_size(self.codec, self._sets.values())

    def add(self, packet: Packet) -> Sequence[Frame]:
        """Take in one packet; the frames that are whole with it. Never raises: what can't be read is counted in
        ``unreadable``."""
        finished: list[Frame] = []
        if self._sequence is not None:
            step = (packet.sequence - self._sequence) & 0xFFFF
            if step == 0 or step > 0x8000:
                return ()  # repeated, or too late
            if step > 1:
                self._broken, self._fragment = True, None
        self._sequence = packet.sequence
        if self._timestamp is not None and packet.timestamp != self._timestamp and self._nals:
            finished += self._finish(self._timestamp)  # the marker of the frame before was lost or never set
        self._timestamp = packet.timestamp
        try:
            self._take(packet.payload)
        except WireError:
            self.unreadable += 1
            self._broken = True
        if packet.marker:
            finished += self._finish(packet.timestamp)
        return finished

    def _take(self, payload: bytes) -> None:
        if not payload:
            return
        if self.codec == "H264":
            self._take_h264(payload)
        elif self.codec == "H265":
            self._take_h265(payload)
        else:
            if self.codec == "JPEG":
                self._jpeg_size = rtp_jpeg.size_of(payload) or self._jpeg_size
            self._hold(payload if self.key is None else b"")

    def _take_h264(self, payload: bytes) -> None:
        kind = payload[0] & 0x1F
        if payload[0] & 0x80:
            raise WireError("an H.264 packet with its forbidden bit set")
        if kind in h264.NAL_USED:
            self._keep(payload)
        elif kind == 24:  # STAP-A
            self._keep_all(payload, 1)
        elif kind == 28 and len(payload) > 2 and payload[1] & 0xC0 != 0xC0:  # FU-A
            header = bytes([payload[0] & 0xE0 | payload[1] & 0x1F])
            self._join(header, payload[1], payload[2:])
        else:
            raise WireError("an H.264 packet of a kind that is not used here")

    def _take_h265(self, payload: bytes) -> None:
        if len(payload) < 3:
            raise WireError("an H.265 packet that ends inside its header")
        kind = h265.nal_type(payload)
        if payload[0] & 0x80 or not payload[1] & 0x07:
            raise WireError("an H.265 packet with a header that can't be")
        if kind in h265.NAL_USED:
            self._keep(payload)
        elif kind == 48:  # aggregation
            self._keep_all(payload, 2)
        elif kind == 49 and len(payload) > 3 and payload[2] & 0xC0 != 0xC0:  # fragment
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
        self._hold(nal)

    def _hold(self, part: bytes) -> None:
        self._held += len(part)
        if self._held > FRAME_LIMIT:
            self._broken = True
        else:
            self._nals.append(part)

    def _keep_set(self, nal: bytes) -> None:
        if _is_parameter_set(self.codec, nal):
            self._sets[_nal_type(self.codec, nal)] = nal

    def _finish(self, timestamp: int) -> Sequence[Frame]:
        nals, whole = self._nals, not self._broken and self._fragment is None
        self._nals, self._held, self._broken, self._fragment = [], 0, False, None
        if not nals or not whole:
            return ()
        if self.codec not in ("H264", "H265"):
            return self._finish_picture(nals, timestamp)
        if not any(_begins_picture(self.codec, nal) for nal in nals):
            return ()  # parameter sets or SEI on their own, or another slice of the picture before
        self.frames += 1
        key = any(_is_key(self.codec, nal) for nal in nals)
        if key and self.key is None:
            slices = [nal for nal in nals if _is_slice(self.codec, nal)]
            data = b"".join(_START_CODE + nal for nal in (*self._ordered_sets(), *slices))
            self.key = KeyFrame(self.size, data)
        return (Frame(timestamp, key),)

    def _finish_picture(self, payloads: list[bytes], timestamp: int) -> Sequence[Frame]:
        """A frame of a codec whose frames stand for themselves, or of one that is only counted."""
        if self.key is None:
            data = b""
            if self.codec == "JPEG" and self.size is not None:
                try:
                    data = rtp_jpeg.join(payloads, self._jpeg_tables, self.size)
                except WireError:
                    self.unreadable += len(payloads)
                    return ()
            self.key = KeyFrame(self.size, data)
        self.frames += 1
        return (Frame(timestamp, key=True),)

    def _ordered_sets(self) -> list[bytes]:
        return [self._sets[kind] for kind in sorted(self._sets)]


def read_size(codec: str, parameter_sets: Iterable[bytes]) -> Size | None:
    """The size that the first readable sequence parameter set gives, or None."""
    return next((size for nal in parameter_sets if (size := _size_of(codec, nal)) is not None), None)


def read_rate(codec: str, parameter_sets: Iterable[bytes]) -> float | None:
    """The frames a second that the first readable sequence parameter set of H.264 announces, or None."""
    return next((rate for nal in parameter_sets if codec == "H264" and (rate := _rate_of(nal)) is not None), None)


@lru_cache(maxsize=4096)
def _rate_of(nal: bytes) -> float | None:
    try:
        return h264.read_rate(nal)
    except WireError:
        return None


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
    return kind in (h264.NAL_SLICE, h264.NAL_IDR) if codec == "H264" else kind < h265.NAL_VPS


def _begins_picture(codec: str, nal: bytes) -> bool:
    """Whether this is the first slice of a picture (first_mb_in_slice 0, first_slice_segment_in_pic_flag)."""
    first = nal[1:2] if codec == "H264" else nal[2:3]
    return _is_slice(codec, nal) and first >= b"\x80"


def _is_key(codec: str, nal: bytes) -> bool:
    kind = _nal_type(codec, nal)
    return kind == h264.NAL_IDR if codec == "H264" else kind in h265.NAL_RANDOM_ACCESS
