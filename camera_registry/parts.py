"""Every part of the service, built and joined to the others; none of them runs yet."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from camera_registry import __version__
from camera_registry.board import Board
from camera_registry.link.local import LocalLink
from camera_registry.model.people import Credential
from camera_registry.model.register import Register
from camera_registry.rules.capacity import need
from camera_registry.service import gauges
from camera_registry.service.acceptor import Acceptor
from camera_registry.service.books import Books
from camera_registry.service.casebook import Casebook
from camera_registry.service.clock import SteadyClock
from camera_registry.service.discoverer import Discoverer
from camera_registry.service.dispatcher import Dispatcher
from camera_registry.service.evidence import Evidence
from camera_registry.service.gallery import Gallery
from camera_registry.service.housekeeper import Retention
from camera_registry.service.ledger import Ledger
from camera_registry.service.masking import Masking
from camera_registry.service.notifier import Notifier
from camera_registry.service.observation_log import ObservationLog, Silent
from camera_registry.service.poller import Limits, Poller
from camera_registry.service.polling import Conditions, Polling
from camera_registry.service.pulse import Pulse
from camera_registry.service.recorder import Recorder
from camera_registry.service.wire.gate import Gate
from camera_registry.service.wire.pollers import Pollers
from camera_registry.service.wire.share import Sources
from camera_registry.service.wire.terms import Setup
from camera_registry.service.witness import Witness
from camera_registry.settings import Settings
from camera_registry.store import Store
from camera_registry.store.acceptances import AcceptanceFile
from camera_registry.store.baselines import BaselineFiles
from camera_registry.store.credentials import Vault
from camera_registry.store.photographs import Photographs
from camera_registry.store.pictures import Pictures, Proofs
from camera_registry.store.sessions import Limits as SessionLimits
from exporters.coverage import SiteCoverage
from exporters.service import ServiceMetrics
from probes.base import Tools
from probes.guard import AddressGuard
from probes.memory import Memory
from probes.picture.desk import PictureDesk

POLLER = "local"
"""The name of the poller inside this process."""


class Parts:
    """The parts of one service: store, rules, board, poller and console in one process (role ``all``), or all but the
    poller (role ``core``): ``gate`` is where pollers come to then. Settings and register are those of the moment; parts
    that must see them change are given a question instead."""

    def __init__(
        self, settings: Settings, store: Store, vault: Vault, desk: PictureDesk, gate: Gate | None = None
    ) -> None:
        self.settings = settings
        self.store = store
        self.vault = vault
        self.pictures = Pictures(settings.storage.directory / "pictures")
        self.photographs = Photographs(settings.storage.directory / "photographs")
        self.board = Board()
        self._clock = SteadyClock()
        self.metrics = self._metrics()
        self.address: tuple[str, int] = ("", 0)
        self.need = need(())
        """What polling the register takes."""
        self._desk = desk
        self._gate = gate
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
        self.poller, desks = self._poller()
        self.recorder = Recorder(
            self._link,
            self._ledger,
            Books(self._casebook, self._dispatcher),
            store,
            Evidence(self.pictures, self._masking, self.gallery.of),
            self.board,
            self._clock,
            self.metrics,
        )
        self.log = self._observation_log()
        self.recorder.log = self.log
        self.recorder.keep_days = lambda: self.settings.storage.picture_days
        wanted = AcceptanceFile(settings.storage.directory / "acceptance.json")
        self.acceptor = Acceptor(self.gallery, self.board, self._clock.utc, self._ledger.policy_of, wanted)
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
        gauges.follow(
            self.metrics,
            desks,
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

    def _under_work(self, at: datetime) -> set[str]:
        return self._casebook.covered(at)

    def _conditions(self) -> Conditions:
        """What polling may do, as the settings have it now."""
        wanted = self.settings.poller
        return Conditions(wanted.slots, wanted.per_host, self.settings.devices.networks, wanted.gateway_address())

    def _poller(self) -> tuple[Polling, list[gauges.Desk]]:
        """What polls, here or in processes of its own, and every desk at which pictures are measured then."""
        wanted, conditions = self.settings.poller, self._conditions()
        if wanted.processes < 2 and self._gate is None:
            limits = Limits(wanted.slots, wanted.per_host)
            poller = Poller(self._link, self._link, self._tools, limits, self.metrics)
            poller.take_up(conditions)
            return poller, [self._desk]
        setup = Setup(
            conditions,
            wanted.auth_quiet,
            wanted.decoding,
            self.settings.storage.snapshot_width,
            self.settings.logs.level,
            self.settings.logs.format,
        )
        sources = Sources(self._credentials.get, self._ledger.left_alone, self.gallery.references)
        processes = max(1, wanted.processes)
        pollers = Pollers(self._link, self._link, sources, setup, processes, self.metrics, self._gate)
        gauges.follow_processes(self.metrics, pollers)
        return pollers, [self._desk, pollers]

    def _metrics(self) -> ServiceMetrics:
        coverage = SiteCoverage(
            self.board,
            lambda: ZoneInfo(self.settings.time_zone),
            self._clock.utc,
            self._under_work,
        )
        metrics = ServiceMetrics(self.board, __version__, coverage)
        metrics.follow(
            "camera_registry_loops_stalled",
            "Loops of the service that have not turned for a minute.",
            lambda: len(self.pulse.stalled),
        )
        metrics.follow(
            "camera_registry_slots_needed",
            "Probes that would be under way at once if every device hung.",
            lambda: self.need.worst,
        )
        metrics.follow(
            "camera_registry_weather_cameras",
            "Cameras that show what is held to be weather, for many of their area do.",
            lambda: sum(one.showing for one in self._ledger.sightings.told(self._clock.utc())),
        )
        metrics.follow_poller(POLLER, lambda: self._ledger.lookout.blind is None)
        metrics.reloaded(done=True)
        return metrics

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
            timedelta(days=settings.storage.gone_days),
            SessionLimits(
                timedelta(seconds=settings.web.session_idle), timedelta(seconds=settings.web.session_absolute)
            ),
        )
