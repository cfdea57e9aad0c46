"""The acceptor: accepts the newest pictures of many channels at once, because somebody has looked through the outliers.

A picture that has come into doubt by the time it is its turn is passed over, like one that is gone or can't be read.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from camera_registry.board import Board
from camera_registry.model.baseline import Acceptance
from camera_registry.rules.pictures.watching import doubts
from camera_registry.service.gallery import Gallery
from camera_registry.store import StoreError
from camera_registry.store.baselines import Unfit
from camera_registry.store.pictures import PictureKind

log = logging.getLogger(__name__)

PAUSE = 5.0
"""Seconds after which a picture is tried again for which the store had no time."""


class Acceptor:
    """One job at a time; ``progress`` is that of the job under way, or of the last one."""

    def __init__(self, gallery: Gallery, board: Board, now: Callable[[], datetime]) -> None:
        self.progress = Acceptance()
        self._gallery = gallery
        self._board = board
        self._now = now
        self._left: list[tuple[str, str]] = []
        self._wanted = asyncio.Event()

    def start(self, channels: Sequence[tuple[str, str]], author: str) -> bool:
        """Have the newest picture of each (device, channel) accepted; False while another job is under way."""
        if self.progress.running:
            return False
        self._left = list(reversed(channels))
        self.progress = Acceptance(running=True, begun=self._now(), total=len(channels), by=author)
        self._wanted.set()
        return True

    def stop(self) -> None:
        """End the job under way; what was accepted stays so."""
        if self.progress.running:
            self._left.clear()
            self.progress = replace(self.progress, stopped=True)

    async def run(self) -> None:
        """Do what is asked for, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._left:
                try:
                    done = await self._accept(*self._left[-1])
                except StoreError as error:
                    log.warning("accepting pictures waits for the store: %s", error)
                    await asyncio.sleep(PAUSE)
                    continue
                self._left[-1:] = []
                before = self.progress
                self.progress = replace(before, done=before.done + done, skipped=before.skipped + (not done))
            self.progress = replace(self.progress, running=False, ended=self._now())
            log.info("%d pictures accepted for %s", self.progress.done, self.progress.by)

    async def _accept(self, device: str, channel: str) -> bool:
        entry = self._board.get(device)
        if entry is None or any(doubts(run.facts) for run in entry.probes if run.channel == channel):
            return False
        try:
            await self._gallery.accept(entry.device, channel, PictureKind.LAST, "", self.progress.by)
        except Unfit as error:
            log.info("the picture of %s is not accepted: %s", device, error)
            return False
        return True
