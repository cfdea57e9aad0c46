"""This file decides whether the poller sees anything at all: a lost line of our own is no fault of any device.

With canaries, devices that answer whenever our own line is up, we are blind while none of them answers. Without, we
suspect it when devices everywhere fail one after the other and not one answers in between: different networks, with no
parent in common. While that is suspected, failures to connect say nothing of a device; told it is only when it lasts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from camera_registry.model.device import Device
from camera_registry.rules.incidents.common import prefix
from camera_registry.rules.topology import Parents, ancestors

SUSPICIOUS = 20
"""So many devices in a row that fail and were well before (of fewer than twice as many: half of them, but 8)."""
_FEWEST = 8


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of our own eyes.

    ``failing`` are devices (with canaries: canaries) that were asked in vain since anybody answered, since ``first``;
    ``doubted`` is since when we doubt that we see, ``blind`` since when that is certain.
    """

    failing: tuple[str, ...] = ()
    first: datetime | None = None
    doubted: datetime | None = None
    blind: datetime | None = None


def answered(sight: Sight, device: str, canaries: Collection[str]) -> Sight:
    """A device was reached. With canaries only theirs is proof: behind our own switch cameras may answer still."""
    if not sight.failing or (canaries and device not in canaries):
        return sight
    return Sight()


def failed(
    sight: Sight,
    device: str,
    at: datetime,
    canaries: Collection[str],
    devices: Mapping[str, Device],
    parents: Parents,
) -> Sight:
    """A device that was well before could not be reached; or a canary, whatever it was."""
    if (canaries and device not in canaries) or device in sight.failing or sight.doubted is not None:
        return sight
    sight = replace(sight, failing=(*sight.failing, device), first=sight.first or at)
    if canaries:
        doubt = set(canaries) <= set(sight.failing)
    else:
        enough = min(SUSPICIOUS, max(_FEWEST, len(devices) // 2))
        doubt = len(sight.failing) >= enough and _everywhere(sight.failing, devices, parents)
    return replace(sight, doubted=at) if doubt else sight


def pass_time(sight: Sight, now: datetime, patience: timedelta) -> Sight:
    """Be certain of what was doubted for as long as it takes to confirm a fault."""
    if sight.doubted is None or sight.blind is not None or now - sight.doubted < patience:
        return sight
    return replace(sight, blind=now)


def _everywhere(failing: Collection[str], devices: Mapping[str, Device], parents: Parents) -> bool:
    """Whether these devices have neither a network nor a farthest parent in common."""
    networks = {prefix(devices[one].host) for one in failing if one in devices}
    roots = {next(reversed(list(ancestors(one, parents))), one) for one in failing}
    return len(networks) > 1 and len(roots) > 1
