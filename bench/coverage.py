"""Measures coverage audits of a city: `python -m bench.coverage` (11,000 cameras, 2,000 sites, 6,000 buildings)."""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import shapely

from camera_registry.model.coverage import Point, PointKind
from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Aspect, Flip, State, Subject
from camera_registry.model.place import Site, View
from camera_registry.model.register import Register
from camera_registry.rules.coverage import steps
from camera_registry.rules.coverage.period import History, sum_up
from camera_registry.rules.coverage.points import Topology, singles, without
from camera_registry.rules.coverage.sight import NEEDED
from camera_registry.rules.geometry.extent import fields, measure

T = TypeVar("T")

SINCE = datetime(2026, 10, 1, tzinfo=UTC)
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="python -m bench.coverage", description=__doc__)
    parser.add_argument("--devices", type=int, default=11_000)
    parser.add_argument("--sites", type=int, default=2_000)
    parser.add_argument("--buildings", type=int, default=6_000)
    args = parser.parse_args()
    rng = random.Random(7)  # noqa: S311 - the same city each time
    corner = [(102.5 + rng.random() * 0.4, 24.9 + rng.random() * 0.3) for _ in range(args.sites)]
    cameras = [_camera(rng, number, corner[number % args.sites]) for number in range(args.devices)]
    switches = [Device(f"sw-{number}", Kind.NETWORK, parent="sw-0" if number else "") for number in range(400)]
    sites = [Site(f"site-{number}", polygon=_square(*at, 40)) for number, at in enumerate(corner)]
    houses = [
        shapely.from_geojson(_square(*_beside(rng, corner[number % args.sites], 90), 12))
        for number in range(args.buildings)
    ]
    seen = _timed(
        f"fields of view of {args.devices} cameras among {args.buildings} buildings", lambda: fields(cameras, houses)
    )
    _timed(f"shares of {args.sites} sites, seen once and twice", lambda: measure(sites, seen))
    history, register = _history(rng, cameras, switches, sites)
    _timed("a month of every view, exact", lambda: sum_up(history, ZONE, SINCE, UNTIL))
    standing = _timed("one past moment", lambda: history.standing(register, ZONE, SINCE + timedelta(days=9)))
    topology = Topology(register.devices)
    _timed("single points of failure of every site", lambda: [singles(one, topology) for one in standing])
    lost = [Point(PointKind.DEVICE, "sw-0")]
    _timed("what-if: the topmost switch fails", lambda: without(standing, topology, lost))


def _timed(what: str, work: Callable[[], T]) -> T:
    begun, clock = time.process_time(), time.perf_counter()
    result = work()
    print(f"{what}: {time.process_time() - begun:.2f} s CPU, {time.perf_counter() - clock:.2f} s")
    return result


def _camera(rng: random.Random, number: int, at: tuple[float, float]) -> Device:
    longitude, latitude = _beside(rng, at, 60)
    return Device(
        f"cam-{number}",
        Kind.CAMERA,
        parent=f"sw-{number % 399 + 1}",
        longitude=longitude,
        latitude=latitude,
        azimuth=rng.uniform(0, 360),
        view_angle=rng.choice((54.0, 80.0, 103.0, 360.0)),
        view_range=rng.choice((40.0, 60.0, 90.0)),
    )


def _history(
    rng: random.Random, cameras: list[Device], switches: list[Device], sites: list[Site]
) -> tuple[History, Register]:
    """Four views a site, up to two channels a view; twelve flips a camera in the month."""
    views = {}
    for number in range(4 * len(sites)):
        shown = tuple(f"cam-{(number + step * 7919) % len(cameras)}" for step in range(1 + number % 2))
        views[f"view-{number}"] = View(f"view-{number}", f"site-{number // 4}", channels=shown)
    states = {}
    for camera in cameras:
        for aspect in NEEDED:
            count = 12 if aspect is Aspect.REACH else 0
            at = sorted(SINCE + timedelta(seconds=rng.randrange(31 * 86_400)) for _ in range(count))
            subject = Subject(camera.id, aspect)
            flips = [
                Flip(subject, *((State.OK, State.DOWN) if place % 2 == 0 else (State.DOWN, State.OK)), moment, moment)
                for place, moment in enumerate(at)
            ]
            states[subject] = steps.states(flips, State.OK)
    history = History(
        {
            site.id: steps.constant({"hours": "07:00-22:00" if place % 5 == 0 else ""})
            for place, site in enumerate(sites)
        },
        {id: steps.constant({"site": view.site, "channels": view.channels}) for id, view in views.items()},
        {camera.id: steps.constant({"device": camera.id}) for camera in cameras},
        {
            camera.id: steps.constant(
                {"life": "active", "contractor": "", "parent": camera.parent, "backup_parent": ""}
            )
            for camera in cameras
        },
        states,
    )
    devices = {device.id: device for device in (*cameras, *switches)}
    return history, Register(sites={site.id: site for site in sites}, views=views, devices=devices)


def _beside(rng: random.Random, at: tuple[float, float], reach: float) -> tuple[float, float]:
    turn, far = rng.uniform(0, 2 * math.pi), reach * math.sqrt(rng.random())
    return _moved(at, far * math.cos(turn), far * math.sin(turn))


def _square(longitude: float, latitude: float, half: float) -> str:
    around = ((-half, -half), (half, -half), (half, half), (-half, half), (-half, -half))
    ring = [_moved((longitude, latitude), *corner) for corner in around]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


def _moved(at: tuple[float, float], east: float, north: float) -> tuple[float, float]:
    return at[0] + east / 111_320 / math.cos(math.radians(at[1])), at[1] + north / 110_770


if __name__ == "__main__":
    main()
