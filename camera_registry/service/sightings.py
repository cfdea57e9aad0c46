"""The sightings: pictures are judged as they come, under the weather that is over their cameras, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from camera_registry.model.observation import Facts, Observation
from camera_registry.model.policy import WeatherPolicy
from camera_registry.model.register import Register
from camera_registry.rules.pictures import weather
from camera_registry.rules.pictures.watching import MEASURED, judged, newest, take_in
from camera_registry.rules.pictures.weather import AreaWeather, Camera, Coming, Newest, Spell, Weather
from camera_registry.service.watched import Watched


class Sightings:
    """Kept by the ledger as pictures come, and like it of the event loop."""

    def __init__(self, all_watched: Mapping[str, Watched]) -> None:
        self.policy = WeatherPolicy()
        self.pictures: Counter[str] = Counter()
        """Pictures that were judged, by what came of it: ``good`` or ``doubtful``."""
        self.not_checked: Counter[str] = Counter()
        """Causes that a picture could not tell about, by why not."""
        self._watched = all_watched
        self._weather = Weather()
        self._parents: Mapping[str, str] = {}
        self._areas: Mapping[str, str] = {}

    def follow(self, register: Register, policy: WeatherPolicy) -> None:
        """Take up where cameras stand, as the register has it now, and what is weather."""
        self.policy = policy
        parents, areas = register.area_parents(), {device.id: device.area for device in register.devices.values()}
        if (parents, areas) != (self._parents, self._areas):
            self._parents, self._areas = parents, areas
            self.recall(self.memory)

    @property
    def memory(self) -> tuple[Spell, ...]:
        """What is remembered besides the facts of pictures."""
        return self._weather.everything()

    def recall(self, spells: Iterable[Spell]) -> None:
        """Remember that again, and count the pictures anew that are known."""
        facts = [run.facts for watched in self._watched.values() for run in watched.seen.values()]
        kept = [spell for one in facts if weather.FACT in one for spell in weather.kept(one)]
        self._weather.begin(self._parents, self._known(), [*kept, *spells])

    def take_in(self, watched: Watched, seen: Observation, before: Facts, zone: tzinfo) -> Observation:
        """The observation with its picture judged, if one was measured, and that counted."""
        if MEASURED in seen.facts:
            seen = self._judge(watched, seen, before, zone)
        if (judgement := judged(seen.facts)) is not None:
            self.pictures["doubtful" if judgement["faults"] else "good"] += 1
            self.not_checked.update(judgement["not_checked"].values())
        return seen

    def shift(self, step: timedelta) -> None:
        """The clock was set by ``step``."""
        self._weather.shift(step)

    def told(self, now: datetime) -> list[AreaWeather]:
        """The weather over all areas; see ``Weather.told``."""
        return self._weather.told(now, self.policy)

    def over(self, area: str, now: datetime) -> AreaWeather | None:
        """The weather that a camera of an area has; see ``Weather.of``."""
        return self._weather.of(area, now, self.policy)

    def coming(self, area: str, by_day: bool | None, now: datetime) -> Coming | None:
        """The weather that may come over a camera of an area; see ``Weather.coming``."""
        return self._weather.coming(area, by_day, now, self.policy)

    def _judge(self, watched: Watched, seen: Observation, before: Facts, zone: tzinfo) -> Observation:
        device, channel = watched.device, watched.channel(seen.channel)

        def may_be_weather(by_day: bool | None) -> bool:
            return self._weather.may_be(device.area, by_day, seen.at, self.policy)

        found = take_in(seen, before, watched.policy.picture, device, zone, channel, may_be_weather)
        one = newest(found.facts, device.area, seen.at, self.policy.causes)
        if one is not None:
            self._weather.add((device.id, (seen.probe, seen.channel)), one, self.policy)
        above = weather.as_json(self._weather.around(device.area, seen.at, self.policy))
        return replace(found, facts={**found.facts, weather.FACT: above})

    def _known(self) -> Iterable[tuple[Camera, Newest]]:
        for id, watched in self._watched.items():
            for run, seen in watched.seen.items():
                one = newest(seen.facts, watched.device.area, seen.last_success or seen.at, self.policy.causes)
                if one is not None:
                    yield (id, run), one
