"""This file judges one observation: which aspects it speaks of, and whether what it says is good or bad.

A probe says "luminance 6.1, clock 74 s ahead"; here policy says what that means. What an observation can't tell
yields no reading: silence is judged by time alone (``health.tick``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from camera_registry.model.device import Device, TlsUse
from camera_registry.model.health import OF_THE_DEVICE, Aspect, Cause, Reading, Subject
from camera_registry.model.observation import Facts, Failure, FailureKind, Observation
from camera_registry.model.policy import PicturePolicy, Policy
from camera_registry.model.probe import PROBES
from camera_registry.rules import power, recording, stream
from camera_registry.rules.pictures import watching

_OF_THE_PICTURE = {
    FailureKind.AUTH,
    FailureKind.BUSY,
    FailureKind.CERTIFICATE,
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

    def say(aspect: Aspect, cause: Cause | None = None, detail: str = "", began: datetime | None = None) -> None:
        channel = "" if aspect in OF_THE_DEVICE else seen.channel
        readings.append(Reading(Subject(seen.device, aspect, channel), seen.at, cause, detail, began))

    if feeds_reach:
        lost = seen.failure is not None and _lost(seen.probe, seen.failure)
        if lost and seen.failure is not None:
            say(Aspect.REACH, Cause(seen.failure.kind), seen.failure.detail)
        else:
            say(Aspect.REACH)
    own = own_aspect(seen.probe)
    if own is not None and (said := _own(own, seen, before, policy, device)) is not None:
        say(own, *said)
    if seen.probe in PROBES and Aspect.CLOCK in PROBES[seen.probe].aspects:
        offset = seen.facts.get("clock_offset_seconds")
        if isinstance(offset, int | float):
            drifted = abs(offset) > policy.clock_limit
            say(Aspect.CLOCK, Cause.CLOCK_DRIFT if drifted else None, f"{offset:+.1f} s" if drifted else "")
    identity = _identity(seen, policy, device)
    if identity is not None:
        say(Aspect.IDENTITY, *identity)
    return tuple(readings)


def _own(
    own: Aspect, seen: Observation, before: Facts, policy: Policy, device: Device
) -> tuple[Cause | None, str] | tuple[Cause, str, datetime] | None:
    """What a run says of the aspect that is its probe's own; None where it says nothing.

    A picture that could not be fetched may be fine, a recorder that could not be asked may write all the same, and a
    stream that is not where one was looked for on the off chance may be elsewhere.
    """
    if seen.failure is not None:
        if seen.failure.guessed:
            return None
        if own is Aspect.RECORDING or (own is Aspect.PICTURE and seen.failure.kind not in _OF_THE_PICTURE):
            return None
        return Cause(seen.failure.kind), seen.failure.detail
    said: tuple[Cause | None, str] | tuple[Cause, str, datetime] | None = None, ""
    if own is Aspect.PICTURE:
        said = _picture(seen.facts, before, policy.picture)
    elif own is Aspect.STREAM:
        said = stream.judge(seen.facts, policy.stream)
    elif own is Aspect.RECORDING:
        said = recording.judge(seen.facts, policy.recording)
    elif seen.probe == "http":
        said = _page(seen.facts, device)
    elif seen.probe == "snmp":
        said = power.judge(seen.facts)
    return said


def own_aspect(probe: str) -> Aspect | None:
    """The aspect that a probe's own success or failure speaks of."""
    return next(iter(PROBES[probe].aspects), None) if probe in PROBES else None


def _lost(probe: str, failure: Failure) -> bool:
    """Whether the device itself can't be reached. A refusal is an answer by the host; only a probe whose whole question
    is the port takes it for a loss."""
    if failure.kind is FailureKind.REFUSED:
        return own_aspect(probe) is None
    return failure.unanswered


def _picture(
    facts: Facts, before: Facts, policy: PicturePolicy
) -> tuple[Cause | None, str] | tuple[Cause, str, datetime] | None:
    """What is wrong with a picture that came and could be read: what is plain at one look, or what many have shown.
    None: it does not bear out what was believed, and one picture is not enough to say the opposite."""
    measures = facts.get("picture")
    if isinstance(measures, dict) and not watching.too_masked(facts):
        luma, flat = measures.get("luma_p95"), measures.get("flat_share")
        if isinstance(luma, int | float) and luma < policy.black_luma:
            return Cause.BLACK, f"95 % of the picture is darker than {luma:.0f} of 255"
        if isinstance(flat, int | float) and flat >= policy.flat_share:
            return Cause.NO_SIGNAL, f"{flat:.0%} of the picture is one plain colour without sensor noise"
    digest = facts.get("sha256")
    if digest is not None and digest == before.get("sha256"):
        return Cause.FROZEN, "identical to the picture before it"
    held, doubtful = watching.believed(facts)
    for cause, since in held.items():
        return cause, watching.evidence(facts, cause), since
    return None if doubtful else (None, "")


def _page(facts: Facts, device: Device) -> tuple[Cause | None, str]:
    """Whether a web server's answer is a good one. One that asks for a password that nobody has registered is alive."""
    status = facts.get("status")
    if not isinstance(status, int) or 200 <= status < 300:
        return None, ""
    said = f"HTTP {status} at {facts.get('path')}"
    if status in (401, 403):
        return (Cause.AUTH, f"{said}: this user may not see it") if device.credential else (None, "")
    if status == 503:
        return Cause.BUSY, said
    if 300 <= status < 400:
        return Cause.PROTOCOL, f"{said}: it sends us to {facts.get('location')}; register that as http_path"
    return Cause.PROTOCOL, f"{said}: correct http_path, or see what is wrong with the device's web server"


def _identity(seen: Observation, policy: Policy, device: Device) -> tuple[Cause | None, str] | None:
    """Whether this is still the registered unit, and whether its papers are good; None where it does not say."""
    if seen.failure is not None and seen.failure.kind is FailureKind.CERTIFICATE:
        return Cause.CERTIFICATE, seen.failure.detail
    facts = seen.facts
    serial, firmware = facts.get("serial"), facts.get("firmware")
    if serial and device.serial and serial != device.serial:
        return Cause.REPLACED, f"serial {serial}, registered {device.serial}"
    if firmware and device.firmware and firmware != device.firmware:
        return Cause.FIRMWARE_CHANGED, f"firmware {firmware}, registered {device.firmware}"
    certificate = facts.get("certificate")
    if isinstance(certificate, Mapping) and device.tls is not TlsUse.ANY:
        return _certificate(certificate, seen.at, policy)
    return (None, "") if serial and device.serial else None


def _certificate(facts: Facts, at: datetime, policy: Policy) -> tuple[Cause | None, str]:
    """Whether a certificate, known to be the device's own, is good for some time yet."""
    until = facts.get("not_after")
    if not isinstance(until, str):
        return None, ""
    left = datetime.fromisoformat(until) - at
    if left >= timedelta(days=policy.certificate_days):
        return None, ""
    ends = "ended" if left < timedelta(0) else "ends"
    return Cause.CERTIFICATE, f"its certificate {ends} on {until[:10]}"
