"""The acceptor: accepts the newest pictures of many channels at once, because somebody has looked through the outliers.

A picture that has come into doubt by the time it is its turn is passed over, like one that is gone or can't be read.
The first one of a view is held against one from before it: accepted with a lorry before the lens, it would make a fault
of every later one. A service that is stopped meanwhile goes on with it when it is started again: what was accepted by
then is not accepted twice, and what was left out stays so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from camera_registry.board import Board
from camera_registry.model.baseline import Acceptance, Skipped, Terms, Unaccepted
from camera_registry.model.policy import Policy
from camera_registry.rules.pictures import watching
from camera_registry.service.gallery import Gallery
from camera_registry.store import StoreError
from camera_registry.store.acceptances import AcceptanceFile, Wanted
from camera_registry.store.baselines import Unfit, Unmeasured
from camera_registry.store.pictures import PictureKind

log = logging.getLogger(__name__)

PAUSE = 5.0
"""Seconds after which a picture is tried again for which there was no time."""
_TRIES = 5
"""How often a picture is tried again that nobody had the time to measure."""
_TOLD = 500
"""Channels that were passed over which are named."""


class Acceptor:
    """One job at a time; ``progress`` is that of the job under way, or of the last one."""

    def __init__(
        self,
        gallery: Gallery,
        board: Board,
        now: Callable[[], datetime],
        policy: Callable[[str], Policy],
        file: AcceptanceFile,
    ) -> None:
        self.progress = Acceptance()
        self._gallery = gallery
        self._board = board
        self._now = now
        self._policy = policy
        """Gives that of a device."""
        self._file = file
        self._left: list[tuple[str, str]] = []
        self._terms = Terms()
        self._wanted = asyncio.Event()

    async def start(self, channels: Sequence[tuple[str, str]], author: str, terms: Terms) -> bool:
        """Have the newest picture of each (device, channel) accepted; False while another job is under way."""
        if self.progress.running:
            return False
        wanted = Wanted(tuple(channels), author, self._now(), terms)
        self._begin(wanted, ())
        try:
            await asyncio.to_thread(self._file.save, wanted)
        except OSError as error:
            log.warning("a restart would end what is being accepted for %s: %s", author, error)
        self._wanted.set()
        return True

    async def stop(self) -> None:
        """End the job under way; what was accepted stays so."""
        if self.progress.running:
            self._left.clear()
            self.progress = replace(self.progress, stopped=True)
            await asyncio.to_thread(self._file.forget)

    def _begin(self, wanted: Wanted, done: Collection[tuple[str, str]]) -> None:
        self._left = [key for key in reversed(wanted.channels) if key not in done]
        self._terms = wanted.terms
        total = len(wanted.channels)
        self.progress = Acceptance(running=True, begun=wanted.begun, total=total, done=len(done), by=wanted.by)

    async def _go_on(self) -> None:
        """Take up what was under way when the service was stopped."""
        wanted = await asyncio.to_thread(self._file.load)
        if wanted is None or self.progress.running:
            return
        self._begin(wanted, {key for key in wanted.channels if self._accepted(key, wanted)})
        log.info("%d pictures are still to be accepted for %s", len(self._left), wanted.by)
        self._wanted.set()

    def _accepted(self, key: tuple[str, str], wanted: Wanted) -> bool:
        own = (one for one in self._gallery.of(*key) if one.by == wanted.by)
        return any(one.accepted_at >= wanted.begun for one in own)

    async def run(self) -> None:
        """Do what is asked for, until cancelled."""
        await self._go_on()
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            tries = 0
            while self._left:
                try:
                    skipped = await self._accept(*self._left[-1], patient=tries < _TRIES)
                except (StoreError, Unmeasured) as error:
                    log.warning("accepting pictures waits: %s", error)
                    tries += isinstance(error, Unmeasured)
                    await asyncio.sleep(PAUSE)
                    continue
                tries = 0
                self._left[-1:] = []
                before = self.progress
                if skipped is None:
                    self.progress = replace(before, done=before.done + 1)
                else:
                    passed = (*before.passed, skipped)[:_TOLD]
                    self.progress = replace(before, skipped=before.skipped + 1, passed=passed)
            await asyncio.to_thread(self._file.forget)
            self.progress = replace(self.progress, running=False, ended=self._now())
            log.info("%d pictures accepted for %s", self.progress.done, self.progress.by)

    async def _accept(self, device: str, channel: str, *, patient: bool) -> Skipped | None:
        """Accept one; what it was passed over for, if it was. Raises StoreError, and Unmeasured if ``patient``."""
        entry = self._board.get(device)
        if entry is None:
            return Skipped(device, channel, Unaccepted.GONE)
        found = [cause for run in entry.probes if run.channel == channel for cause in watching.doubts(run.facts)]
        if not self._terms.of_season.issuperset(found):
            return Skipped(device, channel, Unaccepted.DOUBTFUL, tuple(dict.fromkeys(found)))
        try:
            if not self._gallery.of(device, channel):
                may_move = next((one.may_move for one in entry.channels if one.id == channel), None)
                unlike = await self._gallery.unlike(entry.device, channel, self._policy(device).picture, may_move)
                if unlike is None or unlike:
                    why = Unaccepted.ALONE if unlike is None else Unaccepted.UNLIKE
                    return Skipped(device, channel, why, tuple(unlike or ()))
            await self._gallery.accept(entry.device, channel, PictureKind.LAST, self._terms.reason, self.progress.by)
        except Unfit as error:
            if patient and isinstance(error, Unmeasured):
                raise
            log.info("the picture of %s is not accepted: %s", device, error)
            return Skipped(device, channel, Unaccepted.UNREADABLE if str(error) else Unaccepted.GONE)
        return None
