"""Evidence: the few small pictures kept of each channel, written beside the stream of observations."""

from __future__ import annotations

import asyncio
import logging

from camera_registry.model.observation import Observation
from camera_registry.service.masking import Masking
from camera_registry.store.pictures import PictureKind, Pictures

log = logging.getLogger(__name__)


class Evidence:
    """Pictures that wait to be written: the newest of each channel and kind, so a slow disk makes no queue. What is not
    masked as it has to be is not kept."""

    def __init__(self, pictures: Pictures, masking: Masking) -> None:
        self._pictures = pictures
        self._masking = masking
        self._waiting: dict[tuple[str, str, PictureKind], Observation] = {}
        self._filled = asyncio.Event()

    def keep(self, seen: Observation, *, good: bool | None) -> None:
        """Owe the disk this observation's picture: as the last one, and as the last good or faulty one if judged."""
        if seen.picture is None:
            return
        kinds = [PictureKind.LAST]
        if good is not None:
            kinds.append(PictureKind.LAST_GOOD if good else PictureKind.LAST_FAULTY)
        for kind in kinds:
            self._waiting[seen.device, seen.channel, kind] = seen
        self._filled.set()

    async def run(self) -> None:
        """Write until cancelled. A picture that can't be written is given up: the next one is a poll away."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._waiting:
                device, channel, kind = first = next(iter(self._waiting))
                seen = self._waiting.pop(first)
                async with self._masking.lock:
                    if seen.picture is None or not self._masking.fits(seen):
                        continue
                    try:
                        await asyncio.to_thread(self._pictures.save, device, channel, kind, seen.picture, seen.at)
                    except (OSError, ValueError) as error:
                        log.warning("the picture of %s can't be kept: %s", device, error)
