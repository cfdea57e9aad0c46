"""This file judges one observation: which aspects it speaks of, and whether what it says is good or bad.

A probe says "luminance 6.1, clock 74 s ahead"; here policy says what that means. What an observation can't tell
yields no reading: silence is judged by time alone (``health.tick``).
"""

from __future__ import annotations

from collections.abc import Sequence

from camera_registry.model.device import Device
from camera_registry.model.health import Aspect, Cause, Reading, Subject
from camera_registry.model.observation import Facts, Failure, FailureKind, Observation, Stage
from camera_registry.model.policy import PicturePolicy, Policy, StreamPolicy
from camera_registry.model.probe import PROBES
from camera_registry.rules import recording

_SAME_CODEC = {("MPEG4", "MP4V-ES"), ("H264", "H265")}
"""What a profile says, and what the stream may be all the same: ONVIF and SDP name MPEG-4 differently, and ONVIF's
older media service has no word for H.265, so that devices say H264 there."""
_BLOCK = 16
"""Pixels of a macroblock's side."""
_LOST = {FailureKind.DNS, FailureKind.UNREACHABLE, FailureKind.TIMEOUT}
_OF_THE_PICTURE = {
    FailureKind.AUTH,
    FailureKind.BUSY,
    FailureKind.NO_MEDIA,
    FailureKind.NO_STREAM,
    FailureKind.PROTOCOL,
    FailureKind.TLS,
    FailureKind.UNDECODABLE,
}


def read(seen: Observation, before: Facts, policy: Policy, device: Device, *, feeds_reach: bool) -> tuple[Reading, ...]:
    """The readings that ``seen`` gives of ``device``.

    ``before`` are the facts known from earlier runs of the same probe and channel; ``feeds_reach``: whether this is
    the probe that reach is judged by.
    """
    if seen.failure is not None and seen.failure.kind is FailureKind.INTERNAL:
        return ()
    readings: list[Reading] = []

    def say(aspect: Aspect, cause: Cause | None = None, detail: str = "") -> None:
        channel = "" if aspect is Aspect.REACH else seen.channel
        readings.append(Reading(Subject(seen.device, aspect, channel), seen.at, cause, detail))

    if feeds_reach:
        lost = seen.failure is not None and _lost(seen.probe, seen.failure)
        if lost and seen.failure is not None:
            say(Aspect.REACH, Cause(seen.failure.kind), seen.failure.detail)
        else:
            say(Aspect.REACH)
    own = own_aspect(seen.probe)
    verdict = _of_its_own(seen, before, policy, own) if own is not None else None
    if own is not None and verdict is not None:
        say(own, *verdict)
    if seen.probe in PROBES and Aspect.CLOCK in PROBES[seen.probe].aspects:
        offset = seen.facts.get("clock_offset_seconds")
        if isinstance(offset, int | float):
            drifted = abs(offset) > policy.clock_limit
            say(Aspect.CLOCK, Cause.CLOCK_DRIFT if drifted else None, f"{offset:+.1f} s" if drifted else "")
        identity = _identity(seen.facts, device)
        if identity is not None:
            say(Aspect.IDENTITY, *identity)
    return tuple(readings)


def own_aspect(probe: str) -> Aspect | None:
    """The aspect that a probe's own success or failure speaks of."""
    return next(iter(PROBES[probe].aspects), None) if probe in PROBES else None


def _of_its_own(seen: Observation, before: Facts, policy: Policy, aspect: Aspect) -> tuple[Cause | None, str] | None:
    """What is wrong with the aspect that the probe speaks of first; None where it can't be told.

    A picture that could not be fetched may be fine, and a recorder that could not be asked may write all the same.
    """
    if seen.failure is not None:
        if aspect is Aspect.RECORDING or (aspect is Aspect.PICTURE and seen.failure.kind not in _OF_THE_PICTURE):
            return None
        return Cause(seen.failure.kind), seen.failure.detail
    if aspect is Aspect.PICTURE:
        return _picture(seen.facts, before, policy.picture)
    if aspect is Aspect.STREAM:
        return _stream(seen.facts, policy.stream)
    if aspect is Aspect.RECORDING:
        return recording.judge(seen.facts, policy.recording)
    return None, ""


def _lost(probe: str, failure: Failure) -> bool:
    """Whether the device itself can't be reached. A refusal is an answer by the host; only a probe whose whole question
    is the port takes it for a loss."""
    if failure.kind is FailureKind.REFUSED:
        return own_aspect(probe) is None
    return failure.kind in _LOST and failure.stage in (Stage.ADDRESS, Stage.CONNECT)


def _picture(facts: Facts, before: Facts, policy: PicturePolicy) -> tuple[Cause | None, str]:
    """What is wrong with a picture that came and could be read."""
    measures = facts.get("picture")
    if isinstance(measures, dict):
        luma, flat = measures.get("luma_p95"), measures.get("flat_share")
        if isinstance(luma, int | float) and luma < policy.black_luma:
            return Cause.BLACK, f"95 % of the picture is darker than {luma:.0f} of 255"
        if isinstance(flat, int | float) and flat >= policy.flat_share:
            return Cause.NO_SIGNAL, f"{flat:.0%} of the picture is one plain colour without sensor noise"
    digest = facts.get("sha256")
    if digest is not None and digest == before.get("sha256"):
        return Cause.FROZEN, "identical to the picture before it"
    return None, ""


def _stream(facts: Facts, policy: StreamPolicy) -> tuple[Cause | None, str]:
    """What is wrong with a stream that is there: not what the device declares it to be, or too slow."""
    told = facts.get("declared")
    declared: Facts = told if isinstance(told, dict) else {}
    encoding, codec = declared.get("encoding"), facts.get("codec")
    if encoding and codec and (encoding, codec) not in _SAME_CODEC and encoding != codec:
        return Cause.WRONG_STREAM, f"the stream is {codec}, declared {encoding}"
    sides = [facts.get("width"), facts.get("height"), declared.get("width"), declared.get("height")]
    wide, high, *wanted = (side if isinstance(side, int) else 0 for side in sides)
    # Pictures may be turned, and whole blocks may be sent where they are cut off elsewhere.
    if wide and high and all(wanted) and not (_near((wide, high), wanted) or _near((high, wide), wanted)):
        return Cause.WRONG_STREAM, f"the stream is {wide} x {high}, declared {wanted[0]} x {wanted[1]}"
    rate, seconds = facts.get("frame_rate"), facts.get("measured_seconds")
    rates = [facts.get("declared_frame_rate"), declared.get("frame_rate")]
    least = min((one for one in rates if isinstance(one, int | float) and one > 0), default=0.0)
    long_enough = isinstance(seconds, int | float) and seconds >= policy.rate_seconds
    if long_enough and isinstance(rate, int | float) and rate < policy.rate_share * least:
        return Cause.LOW_FRAME_RATE, f"{rate:.1f} frames a second in {seconds:.1f} s, declared {least:g}"
    return None, ""


def _near(size: Sequence[int], other: Sequence[int]) -> bool:
    return all(abs(one - two) < _BLOCK for one, two in zip(size, other, strict=True))


def _identity(facts: Facts, device: Device) -> tuple[Cause | None, str] | None:
    """Whether this is still the registered unit; None where either side does not say."""
    serial, firmware = facts.get("serial"), facts.get("firmware")
    if serial and device.serial and serial != device.serial:
        return Cause.REPLACED, f"serial {serial}, registered {device.serial}"
    if firmware and device.firmware and firmware != device.firmware:
        return Cause.FIRMWARE_CHANGED, f"firmware {firmware}, registered {device.firmware}"
    return (None, "") if serial and device.serial else None
