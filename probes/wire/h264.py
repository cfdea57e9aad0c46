"""This file reads picture size and frame rate from an H.264 sequence parameter set (ITU-T H.264 section 7.3.2.1.1)."""

from __future__ import annotations

from dataclasses import dataclass

from probes.wire import WireError
from probes.wire.bits import BitReader

NAL_SLICE, NAL_IDR, NAL_SPS, NAL_PPS = 1, 5, 7, 8
NAL_USED = frozenset({*range(1, 16), 19, 20, 21})
"""Types that the standard gives a meaning; the others are reserved or belong to RTP (RFC 6184 section 5.2)."""

_LARGEST = 16_384
_FASTEST = 1000
_EXTENDED_SAR = 255
_WITH_CHROMA = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 144, 244})


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels, cropping applied."""

    width: int
    height: int


def nal_type(nal: bytes) -> int:
    return nal[0] & 0x1F if nal else 0


def read_size(nal: bytes) -> Size:
    """The size in a sequence parameter set, given as a NAL unit without start code. Raises WireError."""
    return _read(nal)[0]


def read_rate(nal: bytes) -> float | None:
    """The frames a second that a sequence parameter set announces (annex E: a tick is a field), if it does.

    Raises WireError.
    """
    bits = _read(nal)[1]
    if not bits.flag():  # vui_parameters_present_flag
        return None
    if bits.flag() and bits.bits(8) == _EXTENDED_SAR:  # aspect ratio
        bits.skip(32)
    if bits.flag():
        bits.flag()  # overscan_appropriate_flag
    if bits.flag():
        bits.skip(4)  # video_format, video_full_range_flag
        if bits.flag():
            bits.skip(24)  # colour description
    if bits.flag():
        bits.unsigned()  # chroma_sample_loc_type_top_field
        bits.unsigned()
    if not bits.flag():
        return None
    ticks, scale = bits.bits(32), bits.bits(32)
    rate = scale / (2 * ticks) if ticks else 0.0
    return rate if 0 < rate <= _FASTEST else None


def _read(nal: bytes) -> tuple[Size, BitReader]:
    """The size, and what follows it."""
    if nal_type(nal) != NAL_SPS:
        raise WireError("not an H.264 sequence parameter set")
    bits = BitReader(nal[1:])
    profile = bits.bits(8)
    bits.skip(16)  # constraint flags, level
    bits.unsigned()  # seq_parameter_set_id
    chroma = _read_chroma(bits) if profile in _WITH_CHROMA else 1
    bits.unsigned()  # log2_max_frame_num_minus4
    _skip_picture_order(bits)
    bits.unsigned()  # max_num_ref_frames
    bits.flag()  # gaps_in_frame_num_value_allowed_flag
    width = 16 * (bits.unsigned() + 1)
    height_units = bits.unsigned() + 1
    frames_only = bits.flag()
    if not frames_only:
        bits.flag()  # mb_adaptive_frame_field_flag
    height = 16 * height_units * (1 if frames_only else 2)
    bits.flag()  # direct_8x8_inference_flag
    if bits.flag():
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        across = 2 if chroma in (1, 2) else 1
        down = (2 if chroma == 1 else 1) * (1 if frames_only else 2)
        width -= across * (left + right)
        height -= down * (top + bottom)
    return checked(width, height), bits


def checked(width: int, height: int) -> Size:
    """A size that a camera can have. Raises WireError."""
    if not (0 < width <= _LARGEST and 0 < height <= _LARGEST):
        raise WireError("a parameter set gives an impossible picture size")
    return Size(width, height)


def _read_chroma(bits: BitReader) -> int:
    chroma = bits.unsigned()
    separate = chroma == 3 and bits.flag()
    bits.unsigned()  # bit_depth_luma_minus8
    bits.unsigned()  # bit_depth_chroma_minus8
    bits.flag()  # qpprime_y_zero_transform_bypass_flag
    if bits.flag():
        for index in range(8 if chroma != 3 else 12):
            if bits.flag():
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return 0 if separate else chroma


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_picture_order(bits: BitReader) -> None:
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.flag()
        bits.signed()
        bits.signed()
        count = bits.unsigned()
        if count > 255:
            raise WireError("a parameter set lists too many reference frames")
        for _ in range(count):
            bits.signed()
