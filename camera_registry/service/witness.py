"""The witness: keeps for each work order the picture of the fault, and the first good one after it was mended.

What is missing is looked for again and again, so a picture that comes late, or a crash in between, loses nothing. A
fault that shows in no picture (a device that is silent) has none before; none is made up from an earlier time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta

from camera_registry.model.incident import Scope
from camera_registry.model.register import Register
from camera_registry.model.work_order import OVER, OrderState, WorkOrder
from camera_registry.service.clock import SteadyClock
from camera_registry.service.masking import Masking
from camera_registry.store import Store, StoreError, orders
from camera_registry.store.pictures import Picture, PictureKind, Pictures, Proof, Proofs

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
SWEEP_EVERY = 600.0


class Witness:
    """Copies pictures from the evidence of channels to the orders that they speak of."""

    def __init__(
        self,
        store: Store,
        pictures: Pictures,
        proofs: Proofs,
        clock: SteadyClock,
        current: Callable[[], Mapping[int, WorkOrder]],
        register: Callable[[], Register],
        keep: Callable[[], timedelta],
        masking: Masking,
    ) -> None:
        self._store = store
        self._pictures = pictures
        self._proofs = proofs
        self._clock = clock
        self._current = current
        self._register = register
        self._keep = keep
        self._masking = masking

    async def run(self) -> None:
        """Look until cancelled. What fails is tried again at the next look."""
        loop = asyncio.get_running_loop()
        swept = loop.time()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
                if loop.time() - swept >= SWEEP_EVERY:
                    swept = loop.time()
                    await self.sweep()
            except (StoreError, OSError) as error:
                log.warning("pictures of work orders wait: %s", error)

    async def look(self) -> None:
        """Keep what there is to keep now."""
        wanted = [order for order in self._current().values() if _wants(order)]
        if wanted:
            channels = {order.about: list(self._channels(order)) for order in wanted}
            async with self._masking.lock:
                await asyncio.to_thread(self._look, wanted, channels)

    async def sweep(self) -> None:
        """Forget the pictures of orders that have been closed for long enough."""
        kept = await asyncio.to_thread(self._proofs.kept)
        for id in await self._store.read(orders.expired, kept, self._clock.utc() - self._keep()):
            await asyncio.to_thread(self._proofs.remove, id)

    def _look(self, wanted: Iterable[WorkOrder], channels: Mapping[str, list[str]]) -> None:
        kept = self._proofs.kept()
        for order in wanted:
            proof = Proof.AFTER if order.over else Proof.BEFORE
            if proof in kept.get(order.id, ()) and not self._stale(order, proof):
                continue
            picture = self._find(order, proof, channels[order.about])
            if picture is not None:
                self._proofs.keep(order.id, proof, picture)

    def _stale(self, order: WorkOrder, proof: Proof) -> bool:
        """Whether the picture is of an earlier time that the fault was there."""
        kept = self._proofs.read(order.id, proof) if order.repeats else None
        return kept is not None and order.started is not None and kept.at < order.started

    def _find(self, order: WorkOrder, proof: Proof, channels: Iterable[str]) -> Picture | None:
        kind = PictureKind.LAST_FAULTY if proof is Proof.BEFORE else PictureKind.LAST_GOOD
        mended = max(filter(None, (order.fixed_at, order.recovered_at)), default=order.verified_at)
        since = order.started if proof is Proof.BEFORE else mended
        for channel in channels:
            picture = self._pictures.read(order.about, channel, kind)
            if picture is not None and since is not None and picture.at >= since:
                return picture
        return None

    def _channels(self, order: WorkOrder) -> Iterator[str]:
        """The channels that may show the fault, the likeliest first."""
        named = [subject.channel for subject in order.symptoms]
        others = [one.id for one in self._register().channels.values() if one.device == order.about]
        yield from dict.fromkeys((*filter(None, named), *others, ""))


def _wants(order: WorkOrder) -> bool:
    """Whether a picture may still be missing: one before until it is over, one after until it is closed."""
    return order.scope is Scope.DEVICE and (order.state not in OVER or order.state is OrderState.VERIFIED)
