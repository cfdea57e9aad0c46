"""Masking: brings privacy masks into the pictures that are kept already, and shows none of them before.

A mask that is registered today is painted over yesterday's pictures too: last, last good and last faulty, accepted
ones, and those of work orders. What can't be painted over is removed, and so is what belongs to a channel that is gone,
or to one of several that can't be told apart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from camera_registry.model.device import Channel
from camera_registry.model.observation import FailureKind, Observation
from camera_registry.model.register import Register
from camera_registry.rules.pictures import outlines
from camera_registry.service.clock import SteadyClock
from camera_registry.store import Store, StoreError, baselines, masking, orders
from camera_registry.store.baselines import BaselineFiles
from camera_registry.store.orders import Wanted
from camera_registry.store.pictures import MAX_BYTES, Picture, PictureKind, Pictures, Proofs
from probes.base import ProbeError

log = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds in which a picture must have been painted over."""
AGAIN = 5.0
"""Seconds after which what could not be done is tried again."""


class Desk(Protocol):
    """Paints over pictures somewhere a hostile one can do no harm."""

    async def mask(self, kept: bytes, masks: Sequence[outlines.Outline], timeout: float) -> bytes: ...


class Masking:
    """What is owed, and ``lock``, under which pictures are kept, copied and accepted: none slips through between."""

    def __init__(
        self,
        store: Store,
        pictures: Pictures,
        files: BaselineFiles,
        proofs: Proofs,
        desk: Desk,
        clock: SteadyClock,
        register: Callable[[], Register],
    ) -> None:
        self.lock = asyncio.Lock()
        self._store = store
        self._pictures = pictures
        self._files = files
        self._proofs = proofs
        self._desk = desk
        self._clock = clock
        self._register = register
        self._changed = asyncio.Event()

    def masks(self, device: str, channel: str) -> tuple[str, ...]:
        """What nobody may see of a channel."""
        return self._channel(device, channel).masks

    def fits(self, seen: Observation) -> bool:
        """Whether an observation's picture was masked as the register has it now; a poller may not know it yet, nor
        that a channel is gone."""
        if seen.channel and not self._registered(seen.device, seen.channel):
            return False
        masked = seen.facts.get("masks")
        told = tuple(masked) if isinstance(masked, list | tuple) else ()
        return told == self.masks(seen.device, seen.channel)

    def holds(self, device: str, channel: str) -> bool:
        """Whether nothing that is kept of a channel may be shown yet."""
        return (device, channel) in self._pictures.withheld

    async def follow(self) -> None:
        """Take up what is owed, and hold back what it concerns. Comes after the register."""
        if await self._hold():
            self._changed.set()

    async def run(self, again: Callable[[], Awaitable[None]]) -> None:
        """Settle what is owed until cancelled; ``again`` takes up the accepted pictures that are others now."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                for device, channel in await self._hold():
                    async with self.lock:
                        await self._settle(self._channel(device, channel))
                await again()
                await self._hold()
            except (StoreError, OSError, ProbeError) as error:
                log.warning("kept pictures wait for their masks, and are not shown: %s", error)
                await asyncio.sleep(AGAIN)
                self._changed.set()

    async def _hold(self) -> Sequence[tuple[str, str]]:
        due = await self._store.read(masking.owed)
        self._pictures.withheld = frozenset(due)
        self._proofs.withheld = frozenset(device for device, _ in due)
        return due

    def _channel(self, device: str, channel: str) -> Channel:
        """A channel as it is registered; one that is not has no masks."""
        return self._registered(device, channel) or Channel(channel, device)

    def _registered(self, device: str, channel: str) -> Channel | None:
        known = self._register().channels.get(channel)
        return known if known is not None and known.device == device else None

    async def _settle(self, channel: Channel) -> None:
        """Bring a channel's masks into everything that is kept of it, or remove it where there are none to bring."""
        masked = removed = 0
        for kind in PictureKind:
            kept = await asyncio.to_thread(self._pictures.kept, channel.device, channel.id, kind)
            if kept is None:
                continue
            jpeg = await self._painted(kept.jpeg, channel)
            if jpeg is None:
                await asyncio.to_thread(self._pictures.remove, channel.device, channel.id, kind)
            else:
                await asyncio.to_thread(self._pictures.save, channel.device, channel.id, kind, jpeg, kept.at)
            masked, removed = masked + (jpeg is not None), removed + (jpeg is None)
        for one in (await self._accepted(channel), await self._proven(channel)):
            masked, removed = masked + one[0], removed + one[1]
        if channel.masks and channel.id:
            # What was kept while nobody had registered the channel is of it, or of a neighbour.
            removed += await self._forget(channel.device)
        await self._store.write(masking.settle, channel, masked, removed, self._clock.utc())

    async def _painted(self, jpeg: bytes, channel: Channel) -> bytes | None:
        """The picture with the channel's masks; None where that can't be."""
        if not channel.masks:
            return None
        try:
            painted = await self._desk.mask(jpeg, [outlines.outline(text) for text in channel.masks], PATIENCE)
            return painted if len(painted) <= MAX_BYTES else None
        except ProbeError as error:
            if error.kind is FailureKind.INTERNAL:
                raise
            return None

    async def _accepted(self, channel: Channel) -> tuple[int, int]:
        masked = removed = 0
        for one in await self._store.read(baselines.of, channel.device, channel.id):
            if channel.masks and set(channel.masks) <= set(one.masks):
                continue
            old = await asyncio.to_thread(self._files.read, one.picture)
            jpeg = None if old is None else await self._painted(old, channel)
            if jpeg is None:
                await self._store.write(baselines.remove, one.id, author=masking.ACTOR, at=self._clock.utc())
            else:
                name = await asyncio.to_thread(self._files.save, jpeg)
                both = tuple(dict.fromkeys((*one.masks, *channel.masks)))
                await self._store.write(baselines.repaint, one.id, name, both)
            if not await self._store.read(baselines.shows, one.picture):
                await asyncio.to_thread(self._files.remove, one.picture)
            masked, removed = masked + (jpeg is not None), removed + (jpeg is None)
        return masked, removed

    async def _proven(self, channel: Channel) -> tuple[int, int]:
        """The pictures of work orders on the device. Which of several channels one shows can't be told."""
        kept = await asyncio.to_thread(self._proofs.kept)
        about = await self._store.read(orders.page, Wanted(about=channel.device), limit=len(kept) + 1) if kept else ()
        own = [one for one in self._register().channels.values() if one.device == channel.device]
        masked = removed = 0
        for number, proof in [(order.id, proof) for order in about for proof in kept.get(order.id, ())]:
            picture = await asyncio.to_thread(self._proofs.read, number, proof)
            if picture is None:
                continue
            jpeg = await self._painted(picture.jpeg, channel) if own == [channel] else None
            if jpeg is None:
                await asyncio.to_thread(self._proofs.remove, number, proof)
            else:
                await asyncio.to_thread(self._proofs.keep, number, proof, Picture(jpeg, picture.at))
            masked, removed = masked + (jpeg is not None), removed + (jpeg is None)
        return masked, removed

    async def _forget(self, device: str) -> int:
        removed = 0
        for kind in PictureKind:
            if await asyncio.to_thread(self._pictures.kept, device, "", kind) is not None:
                await asyncio.to_thread(self._pictures.remove, device, "", kind)
                removed += 1
        return removed + (await self._accepted(Channel("", device)))[1]
