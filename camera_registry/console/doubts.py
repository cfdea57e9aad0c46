"""What pictures of a device have shown that is not believed yet, and the weather over it: for the API and for pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from camera_registry.board import BoardEntry
from camera_registry.console import accepting
from camera_registry.console.routing import Asked
from camera_registry.model.health import Cause
from camera_registry.model.observation import ProbeSeen
from camera_registry.model.policy import PicturePolicy
from camera_registry.rules.pictures import watching
from camera_registry.rules.pictures.waiting import InDoubt, in_doubt
from camera_registry.rules.pictures.weather import AreaWeather, Coming


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the newest picture of a channel shows, ``since`` when it has shown any of it, that waits for whether it is
    weather that comes."""

    channel: str
    causes: Sequence[Cause]
    since: datetime
    coming: Coming


@dataclass(frozen=True, slots=True)
class Doubts:
    """``weather``: None of a camera that has none, or whose pictures are not judged; ``by_channel``: what is in doubt,
    of channels that have anything; ``waiting``: what waits for weather that may come, while there is none."""

    weather: AreaWeather | None
    by_channel: dict[str, Sequence[InDoubt]]
    waiting: Sequence[Waiting] = ()


def of(asked: Asked[Any, Any], entry: BoardEntry) -> Doubts:
    """What is in doubt at a device now."""
    runs = [run for run in entry.probes if watching.judged(run.facts) is not None]
    if not runs:
        return Doubts(None, {})
    deps, area = asked.deps, entry.device.area
    weather = deps.sightings.over(area, deps.now())
    site = deps.board.places.sites.get(entry.device.site)
    policy = deps.settings().health.policy().of(entry.device, site.category if site else None).picture
    found: dict[str, list[InDoubt]] = {channel: [] for channel in accepting.channels(entry)}
    waiting: list[Waiting] = []
    for run in runs:
        by_day = (watching.judged(run.facts) or {}).get("by_day")
        coming = deps.sightings.coming(area, by_day, deps.now()) if weather is None else None
        maybe = weather is not None or coming is not None
        found.setdefault(run.channel, []).extend(in_doubt(run.facts, policy, weather=maybe))
        if coming is not None and (causes := _held_back(run, policy)):
            waiting.append(Waiting(run.channel, causes, _since(entry.device.id, run, causes, coming), coming))
    return Doubts(weather, {channel: ones for channel, ones in found.items() if ones}, waiting)


def _held_back(run: ProbeSeen, policy: PicturePolicy) -> list[Cause]:
    """What the newest picture shows that weather makes, and that is not believed yet."""
    known = watching.noticed(run.facts)
    shown = dict.fromkeys(watching.doubts(run.facts))
    return [cause for cause in shown if cause in policy.weather.causes and known.get(cause) is None]


def _since(device: str, run: ProbeSeen, causes: Sequence[Cause], coming: Coming) -> datetime:
    trails = watching.trails(run.facts)
    times = [coming.began.get((device, (run.probe, run.channel)), run.last_success or run.at)]
    for trail in (trails[cause] for cause in causes if cause in trails):
        times += [at for at, _ in trail.seen[:1]] + [doubt.since for doubt in trail.doubts]
    return min(times)
