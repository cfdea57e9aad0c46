"""The gallery: the accepted pictures of every channel, at hand for whoever judges a new one.

People accept what is kept of a channel; from then on new pictures are compared with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from camera_registry.model.baseline import Baseline, Regime
from camera_registry.model.device import Device
from camera_registry.model.health import Cause
from camera_registry.model.observation import FailureKind
from camera_registry.model.policy import PicturePolicy
from camera_registry.rules.pictures import judge, outlines
from camera_registry.rules.pictures.evidence import apart
from camera_registry.rules.pictures.sight import sight
from camera_registry.rules.pictures.sun import above
from camera_registry.rules.pictures.usual import regime
from camera_registry.service.clock import SteadyClock
from camera_registry.service.masking import Masking
from camera_registry.store import Store, baselines, masking
from camera_registry.store.baselines import BaselineFiles, Superseded, Unfit, Unmeasured
from camera_registry.store.pictures import Picture, PictureKind, Pictures
from probes.base import Pictures as Desk
from probes.base import ProbeError, References, Registered

MOST = 6
"""References that are handed out at once: those taken nearest to this time of day."""
SAME_LOOK = timedelta(minutes=1)
"""A picture that comes within this time of the one that somebody looked at shows what that showed."""
PATIENCE = 15.0
"""Seconds in which a picture that somebody accepts must have been measured."""


class Gallery:
    """Baselines in memory, their pictures on disk. It belongs to the event loop."""

    def __init__(
        self,
        store: Store,
        files: BaselineFiles,
        pictures: Pictures,
        clock: SteadyClock,
        desk: Desk,
        zone: tzinfo,
        masking: Masking,
    ) -> None:
        self.zone = zone
        self._store = store
        self._files = files
        self._pictures = pictures
        self._clock = clock
        self._desk = desk
        self._masking = masking
        self._known: dict[tuple[str, str], list[Baseline]] = {}

    async def follow(self) -> None:
        """Take up what the store holds."""
        known: dict[tuple[str, str], list[Baseline]] = {}
        for one in await self._store.read(baselines.load):
            known.setdefault((one.device, one.channel), []).append(one)
        self._known = known

    def of(self, device: str, channel: str) -> Sequence[Baseline]:
        """The baselines of a channel, oldest first."""
        return self._known.get((device, channel), ())

    async def references(self, device: str, channel: str) -> References:
        """What to compare a channel's next picture with."""
        known = self._known.get((device, channel), ())
        if not known or self._masking.holds(device, channel):
            return References()
        hour = self._hour(self._clock.utc())
        nearest = sorted(known, key=lambda one: apart(hour, self._hour(one.taken_at)))[:MOST]
        read = await asyncio.to_thread(lambda: [(one, self._files.read(one.picture)) for one in nearest])
        there = [(one, jpeg) for one, jpeg in read if jpeg is not None]
        version = ",".join(str(one.id) for one in known)
        masks = tuple(dict.fromkeys(mask for one, _ in there for mask in one.masks))
        return References(version, [jpeg for _, jpeg in there], [one.taken_at for one, _ in there], masks)

    async def accept(
        self,
        device: Device,
        channel: str,
        kind: PictureKind,
        reason: str,
        author: str,
        taken: datetime | None = None,
    ) -> Baseline:
        """Make the kept picture of a kind a baseline of its channel, once, however often that is asked. ``taken``: when
        the one was taken that somebody has looked at. Raises Unfit (Superseded, where another one came in its place;
        Unmeasured, where nobody has the time to measure it), or Unavailable."""
        while True:
            masks = self._masking.masks(device.id, channel)
            picture = await asyncio.to_thread(self._pictures.read, device.id, channel, kind)
            if picture is None:
                raise Unfit("")
            if taken is not None and abs(picture.at - taken) > SAME_LOOK:
                raise Superseded("")
            light = await self._light(device, picture, masks)
            async with self._masking.lock:
                if await self._store.read(masking.owes, device.id, channel):
                    raise Unfit("")  # a mask has come that is not in it yet
                # Measured beside the lock, which others wait for; with other masks by now it is another picture.
                if masks == self._masking.masks(device.id, channel):
                    # Held against itself, a picture would tell nothing of what moves by itself in the view.
                    for one in self.of(device.id, channel):
                        if (one.taken_at, one.masks) == (picture.at, masks) and reason in ("", one.reason):
                            return one
                    name = await asyncio.to_thread(self._files.save, picture.jpeg)
                    now = self._clock.utc()
                    made = Baseline(0, device.id, channel, light, picture.at, name, author, now, reason, masks)
                    kept = await self._store.write(baselines.add, made)
                    await self._take_up(device.id, channel)
                    return kept

    async def _light(self, device: Device, picture: Picture, masks: Sequence[str]) -> Regime:
        """In what light a picture was taken. Raises Unfit."""
        frames = (await self._compared(picture, (), masks))["frames"]
        assert isinstance(frames, list)
        return regime(frames[-1]["measures"], self._hour(picture.at), above(device, picture.at))

    async def unlike(
        self, device: Device, channel: str, policy: PicturePolicy, may_move: bool | None
    ) -> Sequence[Cause] | None:
        """What seems wrong with the last picture of a channel beside an earlier one; None: there is no earlier one.
        ``may_move`` None: by the policy. Raises Unfit."""
        last, earlier = [
            await asyncio.to_thread(self._pictures.read, device.id, channel, kind)
            for kind in (PictureKind.LAST, PictureKind.EARLIER)
        ]
        if last is None:
            raise Unfit("")
        if earlier is None:
            return None
        found = await self._compared(last, (earlier.jpeg,), self._masking.masks(device.id, channel))
        suns = above(device, last.at), above(device, earlier.at)
        times = [one.at.astimezone(self.zone) for one in (last, earlier)]
        seen = sight(
            {**found, "clock": None, "between": None},
            times[:1],
            times[1:],
            sun=suns[0],
            suns=suns[1:],
            may_move=policy.may_move if may_move is None else may_move,
        )
        return [fault.cause for fault in judge(seen, policy.limits).faults]

    async def _compared(self, picture: Picture, others: Sequence[bytes], masks: Sequence[str]) -> Mapping[str, Any]:
        """What a picture measures beside others. Raises Unfit."""
        try:
            hidden = Registered([outlines.outline(text) for text in masks])
            found, _ = await self._desk.compare(picture.jpeg, others, PATIENCE, known=hidden)
        except ProbeError as error:
            raise (Unmeasured if error.kind is FailureKind.INTERNAL else Unfit)(error.detail) from error
        return found

    async def take_back(self, id: int, author: str) -> Baseline | None:
        """Forget a baseline; None when there is none. Raises Unavailable."""
        gone = await self._store.write(baselines.remove, id, author=author, at=self._clock.utc())
        if gone is not None:
            await self._take_up(gone.device, gone.channel)
        return gone

    async def picture(self, baseline: Baseline) -> bytes | None:
        """What a baseline shows; None if its file is gone, or must be masked yet, as the register has it now."""
        if await self._store.read(masking.owes, baseline.device, baseline.channel):
            return None
        return await asyncio.to_thread(self._files.read, baseline.picture)

    def sweep(self, now: datetime) -> int:
        """Remove pictures that were taken back or replaced; runs on a thread. Returns how many went."""
        named = {one.picture for kept in list(self._known.values()) for one in kept}
        return self._files.sweep(named, now)

    async def _take_up(self, device: str, channel: str) -> None:
        self._known[device, channel] = await self._store.read(baselines.of, device, channel)

    def _hour(self, at: datetime) -> float:
        local = at.astimezone(self.zone)
        return local.hour + local.minute / 60
