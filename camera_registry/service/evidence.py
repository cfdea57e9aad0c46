"""Evidence: the few small pictures kept of each channel, written beside the stream of observations."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from itertools import islice

from camera_registry.model.observation import Observation
from camera_registry.service.masking import Masking
from camera_registry.store.pictures import PictureKind, Pictures

log = logging.getLogger(__name__)

AT_ONCE = 32
"""Pictures handed to a thread together: a stop waits for no more."""
GATHERED = 0.2
"""Seconds over which pictures are gathered."""

_Kept = tuple[str, str, PictureKind]


class Evidence:
    """Pictures that wait to be written: the newest of each channel and kind, so a slow disk makes no queue. What is not
    masked as it has to be is not kept."""

    def __init__(self, pictures: Pictures, masking: Masking, accepted: Callable[[str, str], object]) -> None:
        self._pictures = pictures
        self._masking = masking
        self._accepted = accepted
        """Gives what is accepted of a device's channel."""
        self._waiting: dict[_Kept, Observation] = {}
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
            # What comes meanwhile is gathered for the next time.
            for _ in range(0, len(self._waiting), AT_ONCE):
                # The oldest first: who reads finds the last picture before what it is kept as besides.
                some = [(kept, self._waiting.pop(kept)) for kept in [*islice(self._waiting, AT_ONCE)]]
                async with self._masking.lock:
                    # One hop to a thread for all of them: it costs more than to write one.
                    await asyncio.to_thread(self._save, [one for one in some if self._masking.fits(one[1])])
            await asyncio.sleep(GATHERED)

    def _save(self, some: Sequence[tuple[_Kept, Observation]]) -> None:
        for (device, channel, kind), seen in some:
            if seen.picture is None:
                continue
            try:
                if kind is PictureKind.LAST and not self._accepted(device, channel):
                    self._pictures.set_aside(device, channel, seen.at)
                self._pictures.save(device, channel, kind, seen.picture, seen.at)
            except (OSError, ValueError) as error:
                log.warning("the picture of %s can't be kept: %s", device, error)
