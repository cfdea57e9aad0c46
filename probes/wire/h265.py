"""This file reads the picture size from an H.265 sequence parameter set (ITU-T H.265 section 7.3.2.2)."""

from __future__ import annotations

from probes.wire import WireError
from probes.wire.bits import BitReader
from probes.wire.h264 import Size, checked

NAL_VPS, NAL_SPS, NAL_PPS = 32, 33, 34
NAL_USED = frozenset({*range(10), *range(16, 22), *range(32, 41)})
"""Types that the standard gives a meaning (table 7-1)."""
NAL_RANDOM_ACCESS = range(16, 22)
"""Types of slices that a decoder may start at (BLA, IDR, CRA)."""


def nal_type(nal: bytes) -> int:
    return (nal[0] >> 1) & 0x3F if nal else 0


def read_size(nal: bytes) -> Size:
    """The size in a sequence parameter set, given as a NAL unit without start code. Raises WireError."""
    if nal_type(nal) != NAL_SPS:
        raise WireError("not an H.265 sequence parameter set")
    bits = BitReader(nal[2:])
    bits.skip(4)  # sps_video_parameter_set_id
    sub_layers = bits.bits(3)
    bits.flag()  # sps_temporal_id_nesting_flag
    _skip_profile(bits, sub_layers)
    bits.unsigned()  # sps_seq_parameter_set_id
    chroma = bits.unsigned()
    if chroma == 3:
        bits.flag()  # separate_colour_plane_flag
    width, height = bits.unsigned(), bits.unsigned()
    if bits.flag():
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        width -= (2 if chroma in (1, 2) else 1) * (left + right)
        height -= (2 if chroma == 1 else 1) * (top + bottom)
    return checked(width, height)


def _skip_profile(bits: BitReader, sub_layers: int) -> None:
    """profile_tier_level (section 7.3.3)"""
    bits.skip(88)
    bits.skip(8)  # general_level_idc
    present = [(bits.flag(), bits.flag()) for _ in range(sub_layers)]
    if sub_layers:
        bits.skip(2 * (8 - sub_layers))
    for profile, level in present:
        bits.skip(88 * profile + 8 * level)
