"""This file judges a stream that is there: is it what the device declares, and does it run?"""

from __future__ import annotations

from collections.abc import Sequence

from camera_registry.model.health import Cause
from camera_registry.model.observation import Facts
from camera_registry.model.policy import StreamPolicy

_SAME_CODEC = {("MPEG4", "MP4V-ES"), ("H264", "H265")}
"""What a profile says, and what the stream may be all the same: ONVIF and SDP name MPEG-4 differently, and ONVIF's
older media service has no word for H.265, so that devices say H264 there."""
_BLOCK = 16
"""Pixels of a macroblock's side."""


def judge(facts: Facts, policy: StreamPolicy) -> tuple[Cause | None, str]:
    """What is wrong with a stream that is there: not what the device declares it to be, or too slow."""
    told = facts.get("declared")
    declared: Facts = told if isinstance(told, dict) else {}
    encoding, codec = declared.get("encoding"), facts.get("codec")
    if encoding and codec and encoding != codec and (encoding, codec) not in _SAME_CODEC:
        return Cause.WRONG_STREAM, f"the stream is {codec}, declared {encoding}"
    size, wanted = _size(facts), _size(declared)
    # Pictures may be turned, and whole blocks may be sent where they are cut off elsewhere.
    if size != wanted and all(size) and all(wanted) and not (_near(size, wanted) or _near(size[::-1], wanted)):
        return Cause.WRONG_STREAM, f"the stream is {size[0]} x {size[1]}, declared {wanted[0]} x {wanted[1]}"
    seconds = facts.get("measured_seconds")
    if not isinstance(seconds, int | float) or seconds < policy.rate_seconds:
        return None, ""
    rate = facts.get("frame_rate")
    rates = [facts.get("declared_frame_rate"), declared.get("frame_rate")]
    least = min((one for one in rates if isinstance(one, int | float) and one > 0), default=0.0)
    if isinstance(rate, int | float) and rate < policy.rate_share * least:
        return Cause.LOW_FRAME_RATE, f"{rate:.1f} frames a second in {seconds:.1f} s, declared {least:g}"
    return None, ""


def _size(told: Facts) -> tuple[int, int]:
    """Width and height; 0 where that is not told."""
    wide, high = told.get("width"), told.get("height")
    return wide if isinstance(wide, int) else 0, high if isinstance(high, int) else 0


def _near(size: Sequence[int], other: Sequence[int]) -> bool:
    return all(abs(one - two) < _BLOCK for one, two in zip(size, other, strict=True))
