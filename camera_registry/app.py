"""The composition root: takes up what was true, runs every part in one task group, reloads and stops them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from ipaddress import ip_address
from zoneinfo import ZoneInfo

from aiohttp import web

from camera_registry.board import Names, Places
from camera_registry.console.app import build
from camera_registry.console.deps import Deps
from camera_registry.model.device import Device
from camera_registry.model.notice import Audience
from camera_registry.model.observation import Observation
from camera_registry.model.register import Register
from camera_registry.model.roster import Entry
from camera_registry.model.wrong import Wrong
from camera_registry.parts import POLLER, Parts
from camera_registry.rules.capacity import need
from camera_registry.rules.coverage.standing import views_by_site
from camera_registry.service.housekeeper import Housekeeper
from camera_registry.service.pulse import send_heartbeats
from camera_registry.service.replay.records import Addressed, Followed, Ruled, Started, Ticked
from camera_registry.service.replay.registers import differing
from camera_registry.service.watch import watch_loop
from camera_registry.service.wire.gate import SOCKET, Gate
from camera_registry.settings import Loaded, SettingsError, load
from camera_registry.store import Store, credentials, decisions, health, incidents, orders, register, windows
from camera_registry.store.credentials import Vault
from probes.base import Step
from probes.picture.desk import PictureDesk

log = logging.getLogger(__name__)


class App(Parts):
    """One running service: its parts, and how they start, follow the register and the settings, and stop."""

    def __init__(self, loaded: Loaded, store: Store, vault: Vault, desk: PictureDesk, gate: Gate | None = None) -> None:
        super().__init__(loaded.settings, store, vault, desk, gate)
        self.main: asyncio.Task[None]
        """Ends only with the service, or when one of its loops dies."""
        self._path = loaded.path
        self._reader = register.Reader()
        self._housekeeper = Housekeeper(
            self._ledger, self.recorder, store, self._sweep, self._clock, self.follow, self._retention, self.log
        )
        self._housekeeper.beat = partial(self.pulse.beat, "housekeeper")

    async def take_up(self) -> None:
        """Read what was true when the service last ran, and let the time since then pass."""
        kept = await self.store.read(decisions.marked)
        self.log.n = kept
        repeats = timedelta(seconds=self._dispatcher.policy.repeat_within)
        started = Started(
            self._rules(),
            self._audiences(),
            tuple(await self.store.read(health.load_states)),
            tuple(await self.store.read(health.load_seen)),
            tuple(await self.store.read(incidents.load_open)),
            tuple(await self.store.read(incidents.load_affected)),
            await self.store.read(incidents.newest),
            tuple(await self.store.read(orders.load, self._clock.utc() - repeats)),
            await self.store.read(orders.newest),
            kept,
            await self.store.read(decisions.newest),
        )
        await self.gallery.follow()
        now = self._clock.utc()
        n = self.log.note(now, started)
        await self.log.flush()
        # Whoever reads an earlier log is to know that it goes on, though nothing may follow that is stored; or (0) that
        # it does not.
        await self.store.write(decisions.mark, n)
        self._casebook.audiences = started.audiences
        self._ledger.load(started.states, started.seen)
        self._casebook.load(started.states, started.incidents, started.affected, started.last_id, now)
        self._dispatcher.load(started.orders, started.last_order)
        await self.follow()
        now = self._clock.utc()
        self.log.note(now, Ticked(1))
        self.recorder.tell(self._ledger.tick(now, 1))
        await self.recorder.flush()
        log.info("%d devices, %d probes, %.0f runs a second", self.need.devices, self.need.tasks, self.need.rate)

    async def follow(self) -> None:
        """Take up the register and the credentials as they stand in the store now."""
        await self._follow(anew=False)

    async def _follow(self, *, anew: bool) -> None:
        version = await self.store.read(register.version)
        before, self._register = self._register, await self.store.read(self._reader.load)
        known = await self.store.read(credentials.load, self.vault)
        self._credentials.clear()
        self._credentials.update(known)
        self.poller.renew()
        await self._masking.follow()
        planned = await self.store.read(windows.load, self._clock.utc())
        canaries, rules, dispatch = self.settings.poller.canaries, self._rules(), self.settings.dispatch_policy()
        now = self._clock.utc()
        if anew:
            self.log.note(now, rules)
            self._ledger.policy, self._ledger.polls = rules.health, rules.polls
        if self.log.keeps:
            edits = differing(before, self._register)
            self.log.note(now, Followed(*edits, tuple(planned), rules.incidents, dispatch, canaries, anew))
        self._ledger.lookout.names = canaries
        told = self._ledger.follow(self._register, now, anew=anew)
        self._casebook.follow(self._register, planned, rules.incidents)
        self._dispatcher.follow(self._register, dispatch)
        for name in self._ledger.lookout.strangers:
            log.warning("[poller] canaries: %s is no device of the register, by id or address; it is not watched", name)
        self.board.names = _names(self._register)
        self.board.places = Places(self._register.sites, views_by_site(self._register.views.values()))
        self._housekeeper.version = version
        self.recorder.tell(told)
        self._take_stock()

    def _take_stock(self) -> None:
        """Say how many slots are needed where that is more than there are, each time that it grows."""
        before, self.need = self.need, need(self._entries())
        slots = self.settings.poller.slots
        if self.need.worst > max(slots, before.worst):
            log.warning(
                "if every device hung, probes would need %d slots; [poller] slots has %d, so some would be asked late",
                self.need.worst,
                slots,
            )

    async def follow_channels(self) -> None:
        """Take up the channels of the settings."""
        settings = self.settings
        self._take_up_audiences()
        await self.notifier.follow(settings.channels, settings.language, settings.time_zone, self.url)

    def _take_up_audiences(self) -> None:
        audiences = self._audiences()
        if audiences != self._casebook.audiences:
            self.log.note(self._clock.utc(), Addressed(audiences))
            self._casebook.audiences = audiences

    def _audiences(self) -> tuple[Audience, ...]:
        settings = self.settings
        return tuple(channel.audience(settings.time_zone) for channel in settings.channels)

    def _rules(self) -> Ruled:
        settings = self.settings
        return Ruled(
            settings.health.policy(), settings.probes.policy(), settings.incidents.policy(), POLLER, settings.time_zone
        )

    async def reload(self) -> Sequence[Wrong]:
        """Read the settings file again and take up what may change while running. Returns the problems that kept it
        from doing so; nothing is changed then."""
        try:
            loaded = await asyncio.to_thread(load, self._path)
        except SettingsError as error:
            self.metrics.reloaded(done=False)
            log.warning("settings not reloaded: %s", error)
            return error.problems
        settings = loaded.settings
        self.settings = settings
        await self.follow_channels()
        self._ledger.zone = self.gallery.zone = ZoneInfo(settings.time_zone)
        self._tools.guard.allow(settings.devices.networks)
        self.poller.take_up(self._conditions())
        await self._follow(anew=True)
        self.metrics.reloaded(done=True)
        log.info("settings reloaded from %s", self._path)
        return ()

    async def probe_now(self, device: Device) -> Sequence[tuple[Observation, Sequence[Step]]]:
        """Run every probe of a device at once, with the steps in words; what they find is judged like any poll."""
        entry = self._ledger.roster_entry(device.id)
        if entry is None:
            return ()
        found: list[tuple[Observation, Sequence[Step]]] = []
        for task in entry.tasks:
            steps: list[Step] = []
            whole = replace(task, options={**task.options, "full": True})
            found.append((await self.poller.ask(entry.target, whole, steps), steps))
        return found

    def _alarms(self) -> Sequence[str]:
        """What whoever looks at a page must know of the service itself: keys of texts."""
        full = ["alarm.disk_full"] if self.store.reserve.spent else []
        kept = [] if self.recorder.healthy else ["alarm.not_written"]
        return full + kept + (["alarm.not_logged"] if self.log.failing else [])

    def deps(self) -> Deps:
        """What the console is given."""
        return Deps(
            board=self.board,
            store=self.store,
            vault=self.vault,
            pictures=self.pictures,
            photographs=self.photographs,
            renew=self._desk.renew,
            settings=lambda: self.settings,
            reload=self.reload,
            changed=self.follow,
            probe_now=self.probe_now,
            edit_incident=self.recorder.edit,
            remark=self.recorder.remark,
            edit_order=self.recorder.edit_order,
            open_order=self.recorder.open_order,
            covering=self._casebook.covering,
            standings=lambda: self.notifier.standings,
            test_channel=self.notifier.test,
            proofs=self.proofs,
            ready=lambda: self.recorder.healthy and not self.pulse.stalled,
            alarms=self._alarms,
            metrics=self.metrics,
            discovery=self.discoverer,
            gallery=self.gallery,
            acceptance=self.acceptor,
            sightings=self._ledger.sightings,
            loopback=ip_address(self.settings.web.listen).is_loopback,
            now=self._clock.utc,
        )

    async def run(self) -> None:
        """Run every loop until cancelled; if one of them dies, all stop: half a monitor is worse than none."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.log.run(), name="observation-log")
            group.create_task(self.recorder.run(), name="recorder")
            group.create_task(self.poller.run(), name="poller")
            group.create_task(self._housekeeper.run(), name="housekeeper")
            group.create_task(self.notifier.run(), name="notifier")
            group.create_task(self._witness.run(), name="witness")
            group.create_task(self._masking.run(self.gallery.follow), name="masking")
            group.create_task(send_heartbeats(self.pulse, lambda: self.settings.heartbeat), name="heartbeat")
            group.create_task(self.discoverer.run(), name="discoverer")
            group.create_task(self.acceptor.run(), name="acceptor")
            group.create_task(watch_loop(self.metrics), name="watch")

    def _entries(self) -> list[Entry]:
        return [entry for device in self._register.devices if (entry := self._ledger.roster_entry(device))]


def _names(register: Register) -> Names:
    return Names(
        {area.id: area.name for area in register.areas.values()},
        register.area_parents(),
        {site.id: site.name for site in register.sites.values()},
        {contractor.id: contractor.name for contractor in register.contractors.values()},
    )


@asynccontextmanager
async def running(loaded: Loaded, *, polls: bool = True) -> AsyncIterator[App]:
    """The service, from the moment it can be asked until it is left. Raises StoreError, or OSError for the port.

    Without ``polls`` others do that, which come to its socket (``service.wire.gate``).

    The store is the first to open and the last to close; the listener opens when there is something to show.
    """
    settings = loaded.settings
    async with AsyncExitStack() as stack:
        store = await asyncio.to_thread(Store.open, settings.storage.url, settings.storage.directory)
        stack.callback(store.close)
        store.claim()
        await asyncio.to_thread(store.keep_back, settings.storage.reserve)
        assert settings.storage.key_file is not None, "load() fills it in"
        vault = await store.read(credentials.open_vault, settings.storage.key_file)
        desk = PictureDesk(settings.poller.decoding, settings.storage.snapshot_width)
        await desk.start()
        stack.push_async_callback(desk.close)
        gate: Gate | None = None
        if not polls:
            gate = Gate(settings.storage.directory / SOCKET)
            stack.callback(gate.close)
        app = App(loaded, store, vault, desk, gate)
        stack.callback(app.log.close)
        await app.take_up()
        runner = web.AppRunner(build(app.deps()), access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, settings.web.listen, settings.web.port)
        await site.start()
        app.address = runner.addresses[0][:2]
        # Links in notices lead to the address, which is known only now.
        await app.follow_channels()
        app.main = asyncio.create_task(app.run(), name="service")
        try:
            yield app
        finally:
            app.main.cancel()
            await asyncio.gather(app.main, return_exceptions=True)
