"""Picture sizes and key frames, checked against an encoder that is not ours."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.wire import WireError, h264, h265, rtp
from probes.wire.rtp import FrameFinder, Packet, read_packet
from tests.probes.wire.refusal import refusal


def encode(codec: str, width: int, height: int, frames: int = 3, **options: str) -> bytes:
    """A stream with start codes, as FFmpeg's encoders write it."""
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = Fraction(1, 25)
    context.thread_count = 1  # one slice a frame
    context.options = {"preset": "ultrafast", "tune": "zerolatency", **options}
    noise = np.random.default_rng(7)
    stream = b""
    for number in range(frames):
        frame = av.VideoFrame.from_ndarray(noise.integers(0, 255, (height, width, 3), np.uint8), format="rgb24")
        frame.pts = number
        stream += b"".join(bytes(packet) for packet in context.encode(frame.reformat(format="yuv420p")))
    return stream + b"".join(bytes(packet) for packet in context.encode(None))


def nals(stream: bytes) -> list[bytes]:
    parts = stream.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")
    return [part for part in parts if part]


def packets(units: list[bytes], *, fragment: int = 1000, h265_units: bool = False) -> Iterator[Packet]:
    """RTP packets of the units, each its own frame's last; large ones in fragments."""
    sequence = 65_530
    for timestamp, unit in enumerate(units):
        head = 2 if h265_units else 1
        if len(unit) <= fragment:
            pieces = [unit]
        else:
            body = unit[head:]
            cuts = [body[start : start + fragment] for start in range(0, len(body), fragment)]
            pieces = []
            for place, cut in enumerate(cuts):
                flags = 0x80 * (place == 0) | 0x40 * (place == len(cuts) - 1)
                if h265_units:
                    kind = (unit[0] >> 1) & 0x3F
                    pieces.append(bytes([unit[0] & 0x81 | 49 << 1, unit[1], flags | kind]) + cut)
                else:
                    pieces.append(bytes([unit[0] & 0xE0 | 28, flags | unit[0] & 0x1F]) + cut)
        for place, piece in enumerate(pieces):
            yield Packet(96, sequence & 0xFFFF, timestamp, place == len(pieces) - 1, piece)
            sequence += 1


SIZES = [(640, 360), (1920, 1080), (352, 288), (638, 358), (2560, 1440)]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("profile", ["baseline", "high"])
def test_the_size_in_an_h264_stream_is_read_with_its_cropping(width: int, height: int, profile: str):
    units = nals(encode("libx264", width, height, frames=1, profile=profile))
    sets = [unit for unit in units if h264.nal_type(unit) == h264.NAL_SPS]
    assert h264.read_size(sets[0]) == h264.Size(width, height)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_size_in_an_h265_stream_is_read_with_its_cropping(width: int, height: int):
    units = nals(encode("libx265", width, height, frames=1, **{"x265-params": "log-level=error"}))
    sets = [unit for unit in units if h265.nal_type(unit) == h265.NAL_SPS]
    assert h265.read_size(sets[0]) == h264.Size(width, height)


@pytest.mark.parametrize("profile", ["baseline", "high"])
def test_the_frame_rate_in_an_h264_stream_is_read(profile: str):
    units = nals(encode("libx264", 640, 360, frames=1, profile=profile))
    assert rtp.read_rate("H264", units) == 25.0
    assert rtp.read_rate("H265", units) is None


def test_the_size_of_an_interlaced_stream_is_that_of_whole_frames():
    units = nals(encode("libx264", 720, 576, frames=1, x264opts="tff=1", preset="fast"))
    sets = [unit for unit in units if h264.nal_type(unit) == h264.NAL_SPS]
    assert h264.read_size(sets[0]) == h264.Size(720, 576)


@pytest.mark.parametrize(("codec", "name"), [("libx264", "H264"), ("libx265", "H265")])
def test_the_first_key_frame_can_be_decoded(codec: str, name: str):
    more = {"x265-params": "log-level=error"} if name == "H265" else {}
    units = nals(encode(codec, 320, 240, **more))
    finder = FrameFinder(name)
    for packet in packets(units, h265_units=name == "H265"):
        finder.add(packet)
    assert finder.key is not None
    assert finder.key.size == h264.Size(320, 240)
    assert finder.frames == 3
    decoder = av.CodecContext.create("h264" if name == "H264" else "hevc", "r")
    frames = decoder.decode(av.Packet(finder.key.data)) + decoder.decode(None)
    assert (frames[0].width, frames[0].height) == (320, 240)


def test_a_frame_that_lost_a_packet_is_not_counted():
    units = nals(encode("libx264", 320, 240))
    finder = FrameFinder("H264")
    for packet in packets(units):
        if packet.payload[0] & 0x1F != 28 or packet.payload[1] & 0xC0:  # drop the middle of everything large
            finder.add(packet)
    assert finder.key is None


def test_a_frame_whose_slices_each_end_it_is_counted_once():
    finder = FrameFinder("H264")
    slices = (b"\x65\x88" + b"a" * 20, b"\x65\x48" + b"b" * 20, b"\x65\x28" + b"c" * 20)
    for number, unit in enumerate((*slices, *slices)):
        finder.add(Packet(96, number, number // 3, marker=True, payload=unit))
    assert finder.frames == 2


def test_aggregated_parameter_sets_are_taken_apart():
    units = nals(encode("libx264", 320, 240, frames=1))
    sets = [unit for unit in units if h264.nal_type(unit) in (h264.NAL_SPS, h264.NAL_PPS)]
    payload = b"\x18" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in sets)
    finder = FrameFinder("H264")
    finder.add(Packet(96, 1, 0, marker=False, payload=payload))
    assert finder.size == h264.Size(320, 240)


def test_jpeg_frames_tell_their_size_and_are_all_key_frames():
    finder = FrameFinder("JPEG")
    finder.add(Packet(26, 1, 0, marker=True, payload=bytes([0, 0, 0, 0, 1, 80, 80, 60]) + b"scan"))
    assert finder.key is not None
    assert finder.key.size == h264.Size(640, 480)


def test_padding_and_extensions_of_packets_are_taken_off():
    header = struct.pack(">BBHII", 0x80 | 0x20 | 0x10 | 1, 0x80 | 96, 5, 9, 7)
    extension = b"\xbe\xde\x00\x01" + b"\x00" * 4
    packet = read_packet(header + b"\x00" * 4 + extension + b"payload" + b"\x00\x00\x03")
    assert (packet.payload, packet.marker, packet.sequence) == (b"payload", True, 5)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_packet_or_a_declared_error(data: bytes):
    assert refusal(read_packet, data).isprintable()


@given(st.binary(max_size=60))
def test_any_parameter_set_gives_a_size_or_a_declared_error(payload: bytes):
    for read, first in ((h264.read_size, b"\x67"), (h265.read_size, b"\x42\x01")):
        try:
            size = read(first + payload)
        except WireError:
            continue
        assert 0 < size.width <= 16_384
        assert 0 < size.height <= 16_384
    assert 0 < (rtp.read_rate("H264", [b"\x67" + payload]) or 1) <= 1000


@settings(max_examples=200)
@given(
    st.sampled_from(["H264", "H265", "JPEG", "MP4V-ES", ""]),
    st.lists(st.tuples(st.binary(max_size=12), st.booleans(), st.integers(0, 3), st.integers(0, 3)), max_size=12),
)
def test_a_frame_finder_survives_any_packets(codec: str, arrived: list[tuple[bytes, bool, int, int]]):
    finder = FrameFinder(codec, [b"", b"\x67"])
    sequence = 0
    for payload, marker, timestamp, step in arrived:
        sequence += step
        finder.add(Packet(96, sequence & 0xFFFF, timestamp, marker, payload))
    assert finder.frames <= len(arrived)
    assert rtp.read_size(codec, []) is None
