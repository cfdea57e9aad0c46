"""This file decides what is wrong with device files: what is missing, invalid, or contradicts another word of it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from camera_registry.model.device import Device, Kind, Life
from camera_registry.model.observation import Facts


class FileFlaw(StrEnum):
    """What can be wrong with one field of a device file."""

    MISSING = "missing"
    INVALID = "invalid"
    CONTRADICTORY = "contradictory"
    UNLIKE_DEVICE = "unlike_device"
    """The device says otherwise of itself."""
    SHARED = "shared"
    """Another device has the same."""


@dataclass(frozen=True, slots=True)
class FileFinding:
    """One flaw: ``found`` is what stands there, ``against`` what it is held against (another field, what the device
    says, another device)."""

    device: str
    field: str
    flaw: FileFlaw
    found: str = ""
    against: str = ""


_ALWAYS = (
    "name", "national_code", "area", "manufacturer", "model", "serial", "firmware", "mac", "host", "longitude",
    "latitude", "owner", "contractor", "contract_end", "installed",
)  # fmt: skip
_OF_A_CAMERA = ("site", "mounting", "height", "azimuth", "view_angle", "view_range", "pole", "power_source", "parent")
_RANGES: Mapping[str, tuple[float, float]] = {
    "longitude": (-180, 180),
    "latitude": (-90, 90),
    "azimuth": (0, 360),
    "view_angle": (0.1, 360),
    "view_range": (0.1, 100_000),
    "height": (0, 1000),
}
"""Degrees and metres that can be true."""
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-]?[0-9A-Fa-f]{2}){5}")
_CODE = re.compile(r"\d{20}")
_SINGLE = ("national_code", "serial", "mac")


def required(device: Device) -> tuple[str, ...]:
    """The fields that a file of this kind must have filled."""
    fixed_view = device.kind is Kind.CAMERA
    return (*_ALWAYS, *_OF_A_CAMERA) if fixed_view else _ALWAYS


def audit(devices: Iterable[Device], told: Mapping[str, Facts]) -> list[FileFinding]:
    """Every flaw of the files of devices that are not retired; ``told`` is what devices say of themselves."""
    files = [device for device in devices if device.life is not Life.RETIRED]
    shared: dict[str, list[FileFinding]] = defaultdict(list)
    for one in _shared(files):
        shared[one.device].append(one)
    found: list[FileFinding] = []
    for device in files:
        empty = (field for field in required(device) if getattr(device, field) in ("", None))
        found += (FileFinding(device.id, field, FileFlaw.MISSING) for field in empty)
        found += _invalid(device)
        found += _contradictory(device)
        found += _unlike(device, told.get(device.id, {}))
        found += shared.get(device.id, [])
    return found


def file_rate(devices: Iterable[Device], findings: Iterable[FileFinding]) -> float | None:
    """Devices whose file is filled and valid / devices; None without any."""
    files = {device.id for device in devices if device.life is not Life.RETIRED}
    flawed = {one.device for one in findings}
    return len(files - flawed) / len(files) if files else None


def _invalid(device: Device) -> Iterator[FileFinding]:
    if device.national_code and not _CODE.fullmatch(device.national_code):
        yield FileFinding(device.id, "national_code", FileFlaw.INVALID, device.national_code)
    if device.mac and not _MAC.fullmatch(device.mac):
        yield FileFinding(device.id, "mac", FileFlaw.INVALID, device.mac)
    for field, (least, most) in _RANGES.items():
        value: float | None = getattr(device, field)
        if value is not None and not least <= value <= most:
            yield FileFinding(device.id, field, FileFlaw.INVALID, f"{value:g}")


def _contradictory(device: Device) -> Iterator[FileFinding]:
    for field in ("contract_end", "warranty_end"):
        end = getattr(device, field)
        if end is not None and device.installed is not None and end < device.installed:
            yield FileFinding(device.id, field, FileFlaw.CONTRADICTORY, str(end), f"installed {device.installed}")
    if (device.longitude, device.latitude) == (0, 0):
        yield FileFinding(device.id, "longitude", FileFlaw.INVALID, "0, 0")


def _unlike(device: Device, told: Facts) -> Iterator[FileFinding]:
    for field in ("serial", "firmware", "manufacturer", "model"):
        said, kept = str(told.get(field) or "").strip(), getattr(device, field)
        if said and kept and said.casefold() != kept.casefold():
            yield FileFinding(device.id, field, FileFlaw.UNLIKE_DEVICE, kept, said)


def _shared(files: Iterable[Device]) -> list[FileFinding]:
    holders: dict[tuple[str, str], list[str]] = defaultdict(list)
    for device in files:
        for field in _SINGLE:
            value = getattr(device, field)
            if value:
                # Makers number their devices each for themselves.
                own = f"{device.manufacturer.casefold()}\0" if field == "serial" else ""
                holders[field, own + value.casefold()].append(device.id)
    return [
        FileFinding(
            id, field, FileFlaw.SHARED, value.rpartition("\0")[2], ", ".join(one for one in ids[:5] if one != id)
        )
        for (field, value), ids in holders.items()
        if len(ids) > 1
        for id in ids
    ]
