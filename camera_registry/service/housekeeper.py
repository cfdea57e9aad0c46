"""The housekeeper: lets time pass for silent devices, follows the register and the clock, throws old things out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from camera_registry.service.clock import SteadyClock
from camera_registry.service.ledger import Ledger
from camera_registry.service.observation_log import Silent
from camera_registry.service.recorder import Recorder
from camera_registry.service.replay.records import Ticked
from camera_registry.store import ClaimLost, Store, StoreError, gone, outbox, register, sessions

log = logging.getLogger(__name__)

SHARES = 10
"""Parts that the devices are cut in, one of them looked at each second, so no second is a long one."""

ADOPT_EVERY = 5
ADOPT_LATEST = 60
"""What devices told of themselves is taken over once no more comes, or after so long: each time the whole register is
read anew, and a fleet that is met for the first time tells something every second."""
HOLD_EVERY = 10
SWEEP_EVERY = 600


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept."""

    notices: timedelta
    gone: timedelta
    """What devices that left the register had measured."""
    sessions: sessions.Limits


class Housekeeper:
    """One look a second at what nobody asks for."""

    def __init__(
        self,
        ledger: Ledger,
        recorder: Recorder,
        store: Store,
        sweep_files: Callable[[datetime], object],
        clock: SteadyClock,
        follow: Callable[[], Awaitable[None]],
        retention: Callable[[], Retention],
        log: Silent,
    ) -> None:
        self._ledger = ledger
        self._recorder = recorder
        self._store = store
        self._sweep_files = sweep_files
        self._clock = clock
        self._follow = follow
        self._retention = retention
        self._log = log
        self.beat: Callable[[], None] = lambda: None
        """Called at each turn."""
        self.version = 0
        """The version of the register that is followed."""
        self._told = 0

    async def run(self) -> None:
        """Keep house until cancelled. What fails is tried again at its next turn."""
        second = 0
        while True:
            await asyncio.sleep(1)
            self.beat()
            second += 1
            step = self._clock.resync()
            if step:
                log.warning("the system's clock was set by %+.1f s; nothing is lost by it", step.total_seconds())
                await self._recorder.shift(step)
                await self._shift_notices(step)
            now = self._clock.utc()
            self._log.note(now, Ticked(SHARES))
            self._recorder.tell(self._ledger.tick(now, SHARES))
            try:
                if await self._store.read(register.version) != self.version:
                    await self._follow()
                if second % HOLD_EVERY == 0:
                    await asyncio.to_thread(self._store.hold)
                    await asyncio.to_thread(self._store.reserve.keep)
                if second % ADOPT_EVERY == 0 and (self._all_told() or second % ADOPT_LATEST == 0):
                    await self._recorder.adopt()
                if second % SWEEP_EVERY == 0:
                    await self._sweep()
            except ClaimLost:
                raise
            except (StoreError, OSError) as error:
                log.warning("housekeeping waits for the store: %s", error)

    def _all_told(self) -> bool:
        """Whether no more devices have told something new since the last look."""
        before, self._told = self._told, len(self._ledger.adoptable)
        return before == self._told

    async def _shift_notices(self, step: timedelta) -> None:
        try:
            await self._store.write(outbox.shift, step)
        except StoreError as error:
            log.warning("notices that are owed may come %+.1f s late: %s", -step.total_seconds(), error)

    async def _sweep(self) -> None:
        now = self._clock.utc()
        retention = self._retention()
        await asyncio.to_thread(self._sweep_files, now)
        await self._store.write(sessions.sweep, now, retention.sessions)
        await self._store.write(outbox.sweep, now - retention.notices)
        await self._store.write(gone.sweep, now - retention.gone)
