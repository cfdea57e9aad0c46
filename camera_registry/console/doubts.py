"""What pictures of a device have shown that is not believed yet, and the weather over it: for the API and for pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from camera_registry.board import BoardEntry
from camera_registry.console import accepting
from camera_registry.console.routing import Asked
from camera_registry.rules.pictures import watching
from camera_registry.rules.pictures.waiting import InDoubt, in_doubt
from camera_registry.rules.pictures.weather import AreaWeather


@dataclass(frozen=True, slots=True)
class Doubts:
    """``weather``: None of a camera that has none, or whose pictures are not judged; ``by_channel``: what is in doubt,
    of channels that have anything."""

    weather: AreaWeather | None
    by_channel: dict[str, Sequence[InDoubt]]


def of(asked: Asked[Any, Any], entry: BoardEntry) -> Doubts:
    """What is in doubt at a device now."""
    runs = [run for run in entry.probes if watching.judged(run.facts) is not None]
    if not runs:
        return Doubts(None, {})
    deps = asked.deps
    weather = deps.sightings.over(entry.device.area, deps.now())
    site = deps.board.places.sites.get(entry.device.site)
    policy = deps.settings().health.policy().of(entry.device, site.category if site else None).picture
    found: dict[str, list[InDoubt]] = {channel: [] for channel in accepting.channels(entry)}
    for run in runs:
        found.setdefault(run.channel, []).extend(in_doubt(run.facts, policy, weather=weather is not None))
    return Doubts(weather, {channel: ones for channel, ones in found.items() if ones})
