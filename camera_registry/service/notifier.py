"""The notifier: takes what is owed out of the outbox, channel by channel, until each notice is delivered.

One message of a channel is under way at a time, and each channel has a task of its own: one that hangs delays no other.
Nothing waits in memory but the message under way; whatever is owed stands in the store.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import uuid4
from zoneinfo import ZoneInfo

from camera_registry.channels import AnyChannel
from camera_registry.model.incident import Incident, Severity
from camera_registry.model.notice import Audience, Batch, Delivery, Notice, Occasion, Owing, Standing
from camera_registry.rules import notices as rules
from camera_registry.service.clock import SteadyClock
from camera_registry.store import Store, StoreError, Unavailable, outbox
from camera_registry.texts import texts
from exporters.base import Channel, DeliveryError
from exporters.catalog import open_channel
from exporters.message import Writer
from probes.redaction import redact

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
"""Seconds between looks at the outbox."""
LEASE = timedelta(minutes=5)
"""Longer than any attempt may take."""
GRACE = 5.0
"""Seconds that a message under way is given when the service stops, so that it is not sent twice."""


class Meter(Protocol):
    """Where the notifier tells how it fares."""

    def delivery(self, channel: str, result: str) -> None: ...


@dataclass(slots=True)
class _Line:
    """A channel and how it does."""

    settings: AnyChannel
    audience: Audience
    channel: Channel
    writer: Writer
    failures: int = 0
    rests_until: float = 0.0
    refreshes_at: float = 0.0
    error: str = ""
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class Notifier:
    """Sends what is owed. It belongs to the event loop; ``incidents`` gives the open ones as they are now, ``standing``
    what a channel that has forgotten everything is to be told."""

    store: Store
    clock: SteadyClock
    incidents: Callable[[], Mapping[int, Incident]]
    meter: Meter
    beat: Callable[[], None]
    standing: Callable[[Audience], Sequence[Notice]] = lambda audience: ()
    owing: Mapping[str, Owing] = field(default_factory=dict)
    _lines: dict[str, _Line] = field(default_factory=dict)

    @property
    def pending(self) -> int:
        """Notices that are owed."""
        return sum(one.pending for one in self.owing.values())

    @property
    def failed(self) -> int:
        """Notices that a channel refused for good."""
        return sum(one.failed for one in self.owing.values())

    @property
    def overdue(self) -> float:
        """Seconds since the notice that waits longest was due."""
        due = [one.next for one in self.owing.values() if one.next is not None]
        return max(0.0, (self.clock.utc() - min(due)).total_seconds()) if due else 0.0

    @property
    def standings(self) -> Sequence[Standing]:
        """How every channel does, and those of which only debts are left."""
        nothing = Owing(0, 0, None)
        lines = [
            Standing(name, line.settings.kind, self.owing.get(name, nothing), line.failures, line.error)
            for name, line in self._lines.items()
        ]
        return lines + [Standing(name, "", owing) for name, owing in self.owing.items() if name not in self._lines]

    async def follow(self, channels: Sequence[AnyChannel], language: str, zone: str, url: str) -> None:
        """Take up these channels; those that are as they were go on undisturbed."""
        wanted = {channel.name: channel for channel in channels}
        for name, line in list(self._lines.items()):
            if wanted.get(name) != line.settings:
                del self._lines[name]
                await self._end(line)
        for name, settings in wanted.items():
            writer = Writer(texts(settings.language or language), ZoneInfo(zone), url)
            if name not in self._lines:
                channel = await asyncio.to_thread(open_channel, settings)
                self._lines[name] = _Line(settings, settings.audience(zone), channel, writer)
            self._lines[name].writer, self._lines[name].audience = writer, settings.audience(zone)

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            await self._release()
            while True:
                self.beat()
                await self._look()
                await asyncio.sleep(LOOK_EVERY)
        finally:
            await asyncio.gather(*(self._end(line) for line in self._lines.values()))

    async def _release(self) -> None:
        try:
            await self.store.write(outbox.release)
        except StoreError as error:
            # Their leases run out in any case.
            log.warning("what was under way when the service stopped waits for %s: %s", LEASE, error)

    async def _look(self) -> None:
        try:
            self.owing = await self.store.read(outbox.owing)
        except StoreError as error:
            log.warning("notices wait for the store: %s", error)
            return
        now, turn = self.clock.utc(), asyncio.get_running_loop().time()
        for name, line in self._lines.items():
            if line.task is not None or turn < line.rests_until:
                continue
            due = self.owing[name].next if name in self.owing else None
            if due is not None and due <= now:
                work = self._serve(line)
            elif line.settings.refresh and turn >= line.refreshes_at:
                line.refreshes_at = turn + line.settings.refresh
                work = self._refresh(line)
            else:
                continue
            line.task = asyncio.create_task(work, name=f"notifier-{name}")
            line.task.add_done_callback(lambda task, line=line: _ended(line, task))  # type: ignore[misc]

    async def _serve(self, line: _Line) -> None:
        """Send what is due on one channel, until nothing is or it has to rest."""
        while True:
            try:
                batch = await self.store.write(outbox.claim, line.audience, self.clock.utc(), LEASE, self._unwanted())
            except StoreError as error:
                log.warning("notices for %s wait for the store: %s", line.settings.name, error)
                return
            if batch is None:
                return
            incidents = self.incidents()
            batch = replace(batch, notices=tuple(rules.as_now(one, incidents) for one in batch.notices))
            under_way = asyncio.create_task(self._deliver(line, batch))
            try:
                await asyncio.shield(under_way)
            except asyncio.CancelledError:
                await asyncio.wait({under_way}, timeout=GRACE)
                under_way.cancel()
                raise
            if line.failures:
                return

    async def _refresh(self, line: _Line) -> None:
        """Tell anew what is open. Nothing is owed by it, so what fails is left for the next turn."""
        open_now = self.standing(line.audience)
        for first in range(0, len(open_now), outbox.MOST):
            told = tuple(open_now[first : first + outbox.MOST])
            counts = Counter((one.occasion, one.severity) for one in told)
            batch = Batch(f"{line.settings.name}/refresh", line.settings.name, told, len(told), counts, 1)
            error = await _attempt(line, batch, self.clock.utc())
            if error is not None:
                log.warning("channel %s could not be told what is open: %s", line.settings.name, redact(error.detail))
                return

    def _unwanted(self) -> Callable[[Occasion, int | None], str]:
        incidents = self.incidents()
        return lambda occasion, id: "" if id is None else rules.unwanted(occasion, incidents.get(id))

    async def _deliver(self, line: _Line, batch: Batch) -> None:
        """One attempt, and what it led to written down, however long the store takes to be there again."""
        loop = asyncio.get_running_loop()
        begun, at = loop.time(), self.clock.utc()
        error = await _attempt(line, batch, at)
        attempt = Delivery(
            batch.key,
            batch.channel,
            self.clock.utc(),
            round(loop.time() - begun, 3),
            "delivered" if error is None else "failed" if error.permanent else "retry",
            batch.total,
            "" if error is None else redact(error.detail)[:500],
        )
        self.meter.delivery(batch.channel, attempt.result)
        line.error = attempt.error
        line.failures = 0 if error is None or error.permanent else line.failures + 1
        rest = rules.back_off(line.failures, error.retry_after) if error is not None and line.failures else 0.0
        line.rests_until = loop.time() + rest
        if error is not None:
            log.warning("channel %s: a message of %d was not taken: %s", batch.channel, batch.total, attempt.error)
        while True:
            try:
                if error is None:
                    await self.store.write(outbox.delivered, batch, attempt, _following(line.audience, batch, at))
                elif error.permanent:
                    await self.store.write(outbox.refused, batch, attempt)
                else:
                    patience = 1 if batch.attempts < rules.PATIENT_AFTER else 4
                    later = attempt.at + timedelta(seconds=rest * patience)
                    await self.store.write(outbox.postponed, batch, attempt, later)
            except Unavailable as unavailable:
                log.warning("that a message of %s was sent waits for the store: %s", batch.channel, unavailable)
                await asyncio.sleep(1)
            else:
                return

    async def test(self, name: str) -> Delivery | None:
        """Send a message that says it is a test, at once; None: there is no such channel."""
        line = self._lines.get(name)
        if line is None:
            return None
        now = self.clock.utc()
        key = f"{name}/test.{uuid4().hex[:12]}"
        notice = Notice(key, name, Occasion.TEST, Severity.P4, now, now)
        batch = Batch(key, name, (notice,), 1, {(Occasion.TEST, Severity.P4): 1}, 1)
        begun = asyncio.get_running_loop().time()
        error = await _attempt(line, batch, now)
        took = round(asyncio.get_running_loop().time() - begun, 3)
        result, detail = ("delivered", "") if error is None else ("failed", redact(error.detail)[:500])
        attempt = Delivery(key, name, now, took, result, 1, detail)
        await self.store.write(outbox.log, attempt)
        if error is None:
            # It works: what waits need not wait any longer.
            line.failures, line.rests_until, line.error = 0, 0.0, ""
        return attempt

    async def _end(self, line: _Line) -> None:
        if line.task is not None:
            line.task.cancel()
            await asyncio.gather(line.task, return_exceptions=True)
        await line.channel.close()


async def _attempt(line: _Line, batch: Batch, at: datetime) -> DeliveryError | None:
    """Call the channel: the one place that sets the deadline and catches."""
    try:
        message = line.writer.write(batch, at)
    except Exception as error:  # what can't be put into words now never will be
        log.exception("what channel %s is owed can't be written", batch.channel)
        return DeliveryError(f"our own error: {type(error).__name__}", permanent=True)
    try:
        async with asyncio.timeout(line.settings.timeout + 5):
            await line.channel.send(message)
    except DeliveryError as error:
        return error
    except TimeoutError:
        return DeliveryError(f"no answer within {line.settings.timeout:g} s")
    except Exception as error:  # whatever a channel does, the others go on and nothing is lost
        log.exception("channel %s failed on our side", batch.channel)
        return DeliveryError(f"our own error: {type(error).__name__}")
    return None


def _following(audience: Audience, batch: Batch, at: datetime) -> list[Notice]:
    made = (rules.repetition(notice, audience, at) for notice in batch.notices)
    return [notice for notice in made if notice is not None]


def _ended(line: _Line, task: asyncio.Task[None]) -> None:
    line.task = None
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("notices for %s: %r", line.settings.name, error)
        line.rests_until = asyncio.get_running_loop().time() + 10
