"""This file decides how often a device is asked.

Its own interval in the register counts for every probe. Where it has none, a probe is asked as often as its kind of
device is, else as its own section of the settings says; and more often than that if a site wants it.
"""

from __future__ import annotations

from dataclasses import dataclass

from camera_registry.model.device import Device
from camera_registry.model.observation import Observation
from camera_registry.model.policy import Intervals, Policy, PollPolicy
from camera_registry.model.probe import PROBES
from camera_registry.model.register import Register
from camera_registry.rules.topology import ancestors


@dataclass(frozen=True, slots=True)
class Urgency:
    """Why a device is asked more or less often than others. ``wanted``: how often sites want it asked, in seconds, if
    they do; ``long_down``: it has not answered for so long that there is no hurry."""

    wanted: float | None = None
    long_down: bool = False


USUAL = Urgency()

PATIENCE = 1.1
"""No probe is asked again before so many times the time that it may take."""


def for_sites(register: Register, intervals: Intervals) -> dict[str, float]:
    """Seconds, by device: those whose channels cover a view of a site that wants to be looked at so often, and all that
    they stand behind. Of several sites the one counts that wants it most often; others have no entry."""
    found: dict[str, float] = {}
    wishes = {id: wanted for id, site in register.sites.items() if (wanted := intervals.of_site(site)) is not None}
    if not wishes:
        return found
    parents = register.parents()
    for view in register.views.values():
        wanted = wishes.get(view.site)
        if wanted is None:
            continue
        shown = [register.channels[id].device for id in view.channels if id in register.channels]
        for device in (one for camera in shown for one in (camera, *ancestors(camera, parents))):
            found[device] = min(wanted, found.get(device, wanted))
    return found


def interval(device: Device, probe: str, policy: PollPolicy, urgency: Urgency) -> float:
    """Seconds from one run of a probe to the next."""
    pace = policy.paces[probe]
    usual = pace.interval
    if not PROBES[probe].costly:
        usual = policy.intervals.by_kind.get(device.kind, usual)
        usual = min(usual, urgency.wanted or usual)
    slower = policy.long_down_factor if urgency.long_down else 1.0
    return max(device.interval or usual, pace.timeout * PATIENCE) * slower


def again_in(seen: Observation, policy: Policy, *, hurry: bool) -> float | None:
    """Seconds after which to ask once more: where a change waits for confirmation (``hurry``; counted from the last
    beginning, and half of that time is the device's own), or another look at a picture would tell more. None: in time.
    """
    if hurry:
        return max(policy.retry - seen.took, policy.retry / 2)
    wish = seen.facts.get("again_in")
    return max(float(wish), policy.retry) if isinstance(wish, int | float) else None
