"""The composition root: builds every part, runs them in one task group, reloads and stops them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_address
from zoneinfo import ZoneInfo

from aiohttp import web

from camera_registry import __version__
from camera_registry.board import Board, Names, Places
from camera_registry.console.app import build
from camera_registry.console.deps import Deps
from camera_registry.link.local import LocalLink
from camera_registry.model.device import Device
from camera_registry.model.notice import Audience
from camera_registry.model.observation import Observation
from camera_registry.model.people import Credential
from camera_registry.model.register import Register
from camera_registry.model.roster import Entry
from camera_registry.rules.capacity import need
from camera_registry.rules.coverage.standing import views_by_site
from camera_registry.service import gauges
from camera_registry.service.acceptor import Acceptor
from camera_registry.service.books import Books
from camera_registry.service.casebook import Casebook
from camera_registry.service.clock import SteadyClock
from camera_registry.service.discoverer import Discoverer
from camera_registry.service.dispatcher import Dispatcher
from camera_registry.service.evidence import Evidence
from camera_registry.service.gallery import Gallery
from camera_registry.service.housekeeper import Housekeeper, Retention
from camera_registry.service.ledger import Ledger
from camera_registry.service.masking import Masking
from camera_registry.service.notifier import Notifier
from camera_registry.service.observation_log import ObservationLog, Silent
from camera_registry.service.poller import Limits, Poller
from camera_registry.service.pulse import Pulse, send_heartbeats
from camera_registry.service.recorder import Recorder
from camera_registry.service.replay.records import Addressed, Followed, Ruled, Started, Ticked
from camera_registry.service.replay.registers import differing
from camera_registry.service.watch import watch_loop
from camera_registry.service.witness import Witness
from camera_registry.settings import Loaded, SettingsError, load
from camera_registry.store import Store, credentials, decisions, health, incidents, orders, register, windows
from camera_registry.store.baselines import BaselineFiles
from camera_registry.store.credentials import Vault
from camera_registry.store.photographs import Photographs
from camera_registry.store.pictures import Pictures, Proofs
from camera_registry.store.sessions import Limits as SessionLimits
from exporters.coverage import SiteCoverage
from exporters.service import ServiceMetrics
from probes.base import Step, Tools
from probes.guard import AddressGuard
from probes.memory import Memory
from probes.picture.desk import PictureDesk

log = logging.getLogger(__name__)

POLLER = "local"
"""The name of the poller inside this process."""


class App:
    """One running service: store, rules, board, poller and console in one process (role ``all``)."""

    def __init__(self, loaded: Loaded, store: Store, vault: Vault, desk: PictureDesk) -> None:
        settings = loaded.settings
        self.settings = settings
        self.store = store
        self.vault = vault
        self.pictures = Pictures(settings.storage.directory / "pictures")
        self.photographs = Photographs(settings.storage.directory / "photographs")
        self.board = Board()
        self._clock = SteadyClock()
        self.metrics = self._metrics()
        self.address: tuple[str, int] = ("", 0)
        self.main: asyncio.Task[None]
        """Ends only with the service, or when one of its loops dies."""
        self._path = loaded.path
        self._desk = desk
        self._register = Register()
        self._credentials: dict[str, Credential] = {}
        self._link = LocalLink()
        zone = ZoneInfo(settings.time_zone)
        files = BaselineFiles(settings.storage.directory / "baselines")
        self.proofs = Proofs(settings.storage.directory / "proofs")
        self._masking = Masking(store, self.pictures, files, self.proofs, desk, self._clock, lambda: self._register)
        self.gallery = Gallery(store, files, self.pictures, self._clock, desk, zone, self._masking)
        self._ledger = Ledger(settings.health.policy(), settings.probes.policy(), POLLER, zone)
        self._casebook = Casebook(self._ledger, settings.incidents.policy(), self._clock.utc())
        self._dispatcher = Dispatcher(self._ledger, settings.dispatch_policy())
        self._tools = Tools(
            AddressGuard(settings.devices.networks),
            Memory(),
            self._credentials.get,
            desk,
            self._clock.utc,
            settings.poller.auth_quiet,
            references=self.gallery.references,
        )
        limits = Limits(settings.poller.slots, settings.poller.per_host)
        self.poller = Poller(self._link, self._link, self._tools, limits, self.metrics)
        self.poller.diagnosis.gateway = settings.poller.gateway_address()
        self.recorder = Recorder(
            self._link,
            self._ledger,
            Books(self._casebook, self._dispatcher),
            store,
            Evidence(self.pictures, self._masking),
            self.board,
            self._clock,
            self.metrics,
        )
        self.log = self._observation_log()
        self.recorder.log = self.log
        self.acceptor = Acceptor(self.gallery, self.board, self._clock.utc)
        self.discoverer = Discoverer(
            self._tools.guard,
            store,
            lambda: self.settings,
            lambda: self._register,
            self._clock.utc,
            self.poller.places,
        )
        self._witness = Witness(
            store,
            self.pictures,
            self.proofs,
            self._clock,
            lambda: self._dispatcher.orders,
            lambda: self._register,
            lambda: timedelta(days=self.settings.dispatch.picture_days),
            self._masking,
        )
        self._housekeeper = Housekeeper(
            self._ledger, self.recorder, store, self._sweep, self._clock, self.follow, self._retention, self.log
        )
        self.pulse = Pulse()
        self.notifier = Notifier(
            store,
            self._clock,
            lambda: self._casebook.incidents,
            self.metrics,
            partial(self.pulse.beat, "notifier"),
            self._casebook.standing,
        )
        self.recorder.beat = partial(self.pulse.beat, "recorder")
        self.poller.beat = partial(self.pulse.beat, "poller")
        self._housekeeper.beat = partial(self.pulse.beat, "housekeeper")
        gauges.follow(
            self.metrics,
            desk,
            self._link,
            self._ledger,
            self.poller,
            self.recorder,
            self.notifier,
            self.discoverer,
        )

    @property
    def url(self) -> str:
        """Where people find the service."""
        host, port = self.address
        return self.settings.web.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def now(self) -> datetime:
        """The present time by the service's clock, aware UTC."""
        return self._clock.utc()

    async def take_up(self) -> None:
        """Read what was true when the service last ran, and let the time since then pass."""
        kept = await self.store.read(decisions.marked)
        self.log.n = kept
        if not self.log.keeps:
            # Whoever reads an earlier log is to know that it does not go on.
            await self.store.write(decisions.mark, 0)
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
        self.log.note(now, started)
        self._casebook.audiences = started.audiences
        self._ledger.load(started.states, started.seen)
        self._casebook.load(started.states, started.incidents, started.affected, started.last_id, now)
        self._dispatcher.load(started.orders, started.last_order)
        await self.follow()
        now = self._clock.utc()
        self.log.note(now, Ticked(1))
        self.recorder.tell(self._ledger.tick(now, 1))
        await self.recorder.flush()
        need_now = need(self._entries())
        log.info("%d devices, %d probes, %.0f runs a second", need_now.devices, need_now.tasks, need_now.rate)
        if need_now.worst > self.settings.poller.slots:
            log.warning(
                "if every device hung, probes would need %d slots; [poller] slots has %d, so some would be asked late",
                need_now.worst,
                self.settings.poller.slots,
            )

    async def follow(self) -> None:
        """Take up the register and the credentials as they stand in the store now."""
        await self._follow(anew=False)

    async def _follow(self, *, anew: bool) -> None:
        version = await self.store.read(register.version)
        before, self._register = self._register, await self.store.read(register.load_register)
        known = await self.store.read(credentials.load, self.vault)
        self._credentials.clear()
        self._credentials.update(known)
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

    async def reload(self) -> Sequence[str]:
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
        self.poller.limits.slots = settings.poller.slots
        self.poller.limits.per_host = settings.poller.per_host
        self.poller.diagnosis.gateway = settings.poller.gateway_address()
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
            loopback=ip_address(self.settings.web.listen).is_loopback,
            now=self._clock.utc,
        )

    def _metrics(self) -> ServiceMetrics:
        coverage = SiteCoverage(
            self.board,
            lambda: ZoneInfo(self.settings.time_zone),
            self._clock.utc,
            lambda device, at: self._casebook.covering(device, at) is not None,
        )
        metrics = ServiceMetrics(self.board, __version__, coverage)
        metrics.follow(
            "camera_registry_loops_stalled",
            "Loops of the service that have not turned for a minute.",
            lambda: len(self.pulse.stalled),
        )
        metrics.follow_poller(POLLER, lambda: self._ledger.lookout.blind is None)
        metrics.reloaded(done=True)
        return metrics

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

    def _observation_log(self) -> Silent:
        settings = self.settings
        if not settings.observation_log.enabled:
            return Silent()
        wanted = settings.observation_log
        kept = ObservationLog(
            wanted.directory or settings.storage.directory / "observations",
            round(wanted.megabytes * 1_000_000),
            wanted.files,
            self._clock.utc,
        )
        kept.checkpoint = partial(self.recorder.checkpoint, kept)
        self.metrics.follow_count(
            "camera_registry_observation_log_lost_total", "Records the log could not be given.", lambda: kept.lost
        )
        return kept

    def _sweep(self, now: datetime) -> None:
        """Throw out the pictures that are too old."""
        settings = self.settings
        self.pictures.sweep(now, timedelta(days=settings.storage.snapshot_days))
        self.photographs.sweep(now, timedelta(days=settings.photographs.keep_days))
        self.gallery.sweep(now)

    def _retention(self) -> Retention:
        settings = self.settings
        return Retention(
            timedelta(days=settings.notices.keep_days),
            SessionLimits(
                timedelta(seconds=settings.web.session_idle), timedelta(seconds=settings.web.session_absolute)
            ),
        )

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
async def running(loaded: Loaded) -> AsyncIterator[App]:
    """The service, from the moment it can be asked until it is left. Raises StoreError, or OSError for the port.

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
        desk = PictureDesk(settings.poller.picture_processes, settings.storage.snapshot_width)
        await desk.start()
        stack.push_async_callback(desk.close)
        app = App(loaded, store, vault, desk)
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
