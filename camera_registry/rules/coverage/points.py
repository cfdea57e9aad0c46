"""This file finds single points of failure: the one device, parent or source of power whose loss uncovers a view.

Losing a point x takes a device d along if x is d, if x is d's source of power (or loses it), or if d has parents and
losing x takes every one of them along. What is fatal to d follows by recursion on its parents, so that two ways to the
core that share a switch, or a cabinet, are found out:

    fatal(d) = {d} + what feeds d + intersection of fatal(p) over the parents p of d

A view that channels of devices d1 ... dn can show is uncovered by each point of the intersection of their fatal sets,
and a site is left without any view by each point that is fatal to all of its views.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from camera_registry.model.coverage import Point, PointKind, Sight, ViewState
from camera_registry.model.device import Device
from camera_registry.rules.coverage.standing import SiteSeen, ViewSeen

_WAYS = frozenset(
    [
        "mains",
        "grid",
        "utility",
        "streetlight",
        "streetlamp",
        "solar",
        "battery",
        "generator",
        "ups",
        "poe",
        "市电",
        "路灯",
        "路灯电",
        "太阳能",
        "电池",
        "蓄电池",
        "发电机",
        "交换机供电",
        "poe供电",
    ]
)
"""Ways of feeding, which are no source: two cameras on "mains" share nothing by that. At one pole they do."""
_OF_THE_PARENT = frozenset({"poe", "poe供电", "交换机供电"})
"""Fed by the parent, whose loss is counted already."""


def power_of(device: Device, devices: Mapping[str, Device]) -> Point | None:
    """The source that a device is fed by: the device that ``power_source`` names, a source of that name, or a way of
    feeding at the device's pole or cabinet; None where the register does not tell."""
    named = device.power_source.strip()
    folded = "".join(named.split()).replace("_", "").casefold()
    if not named or folded in _OF_THE_PARENT:
        return None
    if named in devices and named != device.id:
        return Point(PointKind.DEVICE, named)
    if folded not in _WAYS:
        return Point(PointKind.POWER, named)
    return Point(PointKind.POWER, f"{device.pole}: {named}") if device.pole else None


class Topology:
    """What is fatal to each device. The register refuses rings; one that slipped in ends the walk."""

    def __init__(self, devices: Mapping[str, Device]) -> None:
        self._devices = devices
        self._fatal: dict[str, frozenset[Point]] = {}

    def fatal(self, device: str) -> frozenset[Point]:
        """Every single point whose loss takes ``device`` along, itself included."""
        known = self._fatal.get(device)
        if known is None:
            known = self._fatal[device] = self._own(device)
            parents = [self.fatal(parent) for parent in self._parents(device)]
            if parents:
                known = self._fatal[device] = known | frozenset.intersection(*parents)
        return known

    def lost(self, points: Collection[Point]) -> Callable[[str], bool]:
        """Tells of a device whether it is lost when all these ``points`` are lost together: two parents may be."""
        gone = frozenset(points)
        known: dict[str, bool] = {}

        def is_lost(device: str) -> bool:
            if device not in known:
                known[device] = not gone.isdisjoint(self._own(device))
                parents = self._parents(device)
                known[device] = known[device] or (bool(parents) and all(is_lost(parent) for parent in parents))
            return known[device]

        return is_lost

    def _parents(self, id: str) -> tuple[str, ...]:
        device = self._devices.get(id)
        return () if device is None else device.parents

    def _own(self, id: str) -> frozenset[Point]:
        """The device and what feeds it. A supply that can't be reached still feeds, so its parents do not count."""
        found = {Point(PointKind.DEVICE, id)}
        device = self._devices.get(id)
        while device is not None:
            power = power_of(device, self._devices)
            if power is None or power in found:
                break
            found.add(power)
            device = self._devices.get(power.id) if power.kind is PointKind.DEVICE else None
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Single:
    """A single point of failure of a site: the views that its loss uncovers; ``whole``: no covered view is left."""

    point: Point
    views: tuple[str, ...]
    whole: bool


def singles(site: SiteSeen, topology: Topology) -> tuple[Single, ...]:
    """The single points of failure of a site as it is covered, the worst first. Only what is usable covers: a view that
    is not covered has nothing to lose."""
    fatal = {view.view.id: _shared(topology.fatal(device) for device in showing(view)) for view in site.views}
    covered = [id for id, points in fatal.items() if points is not None]
    uncovers: dict[Point, list[str]] = {}
    for id in covered:
        for point in fatal[id] or ():
            uncovers.setdefault(point, []).append(id)
    found = [Single(point, tuple(views), len(views) == len(covered)) for point, views in uncovers.items()]
    return tuple(sorted(found, key=lambda one: (-len(one.views), one.point)))


@dataclass(frozen=True, slots=True)
class Weak:
    """Points of which each, lost alone, uncovers the same ``views``, as (site, view); ``dark``: the sites that keep no
    covered view."""

    points: tuple[Point, ...]
    views: tuple[tuple[str, str], ...]
    dark: tuple[str, ...]

    @property
    def sites(self) -> list[str]:
        """The sites that lose a view, those that lose all of them first."""
        return list(dict.fromkeys([*self.dark, *(site for site, _ in self.views)]))


def weakest(found: Mapping[str, Sequence[Single]]) -> list[Weak]:
    """The single points of all sites, those of the same effect together (a camera with its mast's power and the switch
    that nothing else hangs on): those that leave the most sites without a view first, then the most views."""
    views: dict[Point, list[tuple[str, str]]] = {}
    dark: dict[Point, list[str]] = {}
    for site, points in found.items():
        for one in points:
            views.setdefault(one.point, []).extend((site, view) for view in one.views)
            if one.whole:
                dark.setdefault(one.point, []).append(site)
    alike: dict[tuple[tuple[tuple[str, str], ...], tuple[str, ...]], list[Point]] = {}
    for point, lost in views.items():
        alike.setdefault((tuple(sorted(lost)), tuple(sorted(dark.get(point, ())))), []).append(point)
    groups = [Weak(tuple(sorted(points)), lost, gone) for (lost, gone), points in alike.items()]
    return sorted(groups, key=lambda one: (-len(one.dark), -len(one.views), one.points))


def showing(view: ViewSeen) -> list[str]:
    """The devices that cover a view, each once."""
    return list(dict.fromkeys(one.device for one in view.channels if one.sight is Sight.USABLE))


def _shared(sets: Iterable[frozenset[Point]]) -> frozenset[Point] | None:
    found = list(sets)
    return frozenset.intersection(*found) if found else None


@dataclass(frozen=True, slots=True)
class Loss:
    """What losing some points does to one site, by views: ``lost`` are uncovered by it, ``single`` are left with one
    device where there were several; ``dark``: no view is left."""

    site: str
    lost: tuple[str, ...]
    single: tuple[str, ...]
    dark: bool


def without(sites: Sequence[SiteSeen], topology: Topology, points: Collection[Point]) -> list[Loss]:
    """What is lost if all these points are lost at once, in the order of ``sites``; those that lose nothing are left
    out."""
    is_lost = topology.lost(points)
    found = []
    for site in sites:
        lost, single, left = [], [], 0
        for view in site.views:
            if view.state is not ViewState.COVERED:
                continue
            before = showing(view)
            after = [device for device in before if not is_lost(device)]
            left += bool(after)
            if not after:
                lost.append(view.view.id)
            elif len(after) == 1 < len(before):
                single.append(view.view.id)
        if lost or single:
            found.append(Loss(site.site.id, tuple(lost), tuple(single), not left))
    return found
