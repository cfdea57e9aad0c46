"""Coverage: whether what must be seen is seen, and where a place is the only eye of another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Sight(StrEnum):
    """Whether one channel shows a usable picture."""

    USABLE = "usable"
    UNUSABLE = "unusable"
    UNKNOWN = "unknown"


class ViewState(StrEnum):
    """What is true of a required view at one time."""

    COVERED = "covered"
    """At least one of its channels is online, with a usable and unmoved picture."""
    UNCOVERED = "uncovered"
    PLANNED = "planned"
    """Not covered, while planned work is done on a device that could cover it."""
    UNKNOWN = "unknown"
    """Nothing is known to cover it, and of some channel nothing is known: neither good nor bad news."""


class PointKind(StrEnum):
    """What can be lost as one."""

    DEVICE = "device"
    POWER = "power"


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """Something whose loss takes devices along: a device (camera, switch, recorder, uplink) or a source of power."""

    kind: PointKind
    id: str


class Uncomputable(StrEnum):
    """Why a field of view is not computed. Nothing is guessed in its place."""

    NO_POSITION = "no_position"
    NO_AZIMUTH = "no_azimuth"
    NO_ANGLE = "no_angle"
    NO_RANGE = "no_range"
    MOBILE = "mobile"
    INSIDE_BUILDING = "inside_building"
