"""A lens gets dirtier over weeks in a service with a real database: found, cleaned, followed anew; killed and begun
again at any time, its days are those of a service that never stopped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from camera_registry.board import Board
from camera_registry.link.local import LocalLink
from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Cause
from camera_registry.model.observation import Observation
from camera_registry.model.people import Role
from camera_registry.model.register import Register
from camera_registry.model.trend import PictureDay
from camera_registry.model.work_order import OrderState
from camera_registry.rules.dispatch import deeds
from camera_registry.rules.pictures import trend
from camera_registry.service.books import Books
from camera_registry.service.casebook import Casebook
from camera_registry.service.clock import SteadyClock
from camera_registry.service.dispatcher import Dispatcher
from camera_registry.service.evidence import Evidence
from camera_registry.service.ledger import Ledger
from camera_registry.service.masking import Masking
from camera_registry.service.recorder import Recorder
from camera_registry.settings import Settings
from camera_registry.store import Store, health, incidents, orders, picture_days, register
from camera_registry.store.baselines import BaselineFiles
from camera_registry.store.pictures import Pictures, Proofs
from probes.picture.desk import PictureDesk
from tests.picture import lens

CHINA = ZoneInfo("Asia/Shanghai")
BEGIN = datetime(2026, 7, 1, 2, tzinfo=UTC)
CAMERA = Device("cam-7", Kind.CAMERA, host="192.0.2.7", probes=("snapshot",))
CITY = Register(devices={CAMERA.id: CAMERA})
DUTY = deeds.Actor("duty", Role.OPERATOR)


@pytest.fixture
def store(shaped_url: str, tmp_path: Path) -> Iterator[Store]:
    with Store.open(shaped_url, tmp_path / "data") as opened:
        yield opened


class Meter:
    def committed(self, flips: int, took: float) -> None: ...

    def commit_failed(self) -> None: ...


class Dated(SteadyClock):
    """A clock that stands where the test puts it."""

    at = BEGIN

    def utc(self) -> datetime:
        return self.at


class Service:
    """Ledger, books and recorder over a store, as ``app`` builds them, without a poller and with a clock of its own."""

    def __init__(self, store: Store, folder: Path) -> None:
        settings = Settings()
        self.store, self.clock = store, Dated()
        self.ledger = Ledger(settings.health.policy(), settings.probes.policy(), zone=CHINA)
        self.casebook = Casebook(self.ledger, settings.incidents.policy(), BEGIN)
        self.dispatcher = Dispatcher(self.ledger, settings.dispatch_policy())
        books = Books(self.casebook, self.dispatcher)
        pictures, board = Pictures(folder), Board()
        files, proofs = BaselineFiles(folder), Proofs(folder)
        masking = Masking(store, pictures, files, proofs, PictureDesk(), self.clock, lambda: CITY)
        evidence = Evidence(pictures, masking, lambda device, channel: True)
        self.recorder = Recorder(LocalLink(), self.ledger, books, store, evidence, board, self.clock, Meter())

    async def begin(self, now: datetime) -> Service:
        """Take up what the store holds."""
        read = self.store.read
        self.clock.at = now
        self.ledger.load(await read(health.load_states), await read(health.load_seen))
        known = await read(incidents.load_open), await read(incidents.load_affected), await read(incidents.newest)
        self.casebook.load(await read(health.load_states), *known, now)
        self.dispatcher.load(await read(orders.load, now - timedelta(days=7)), await read(orders.newest))
        self.ledger.follow(CITY, now)
        self.casebook.follow(CITY, (), Settings().incidents.policy())
        self.dispatcher.follow(CITY, Settings().dispatch_policy())
        return self

    async def see(self, at: datetime, contrast: float, baselines: str = "1") -> None:
        """One picture, judged and written."""
        # A stretch in which nobody looked would be added to how long a fault is held.
        await self.pass_time(at - timedelta(seconds=30))
        self.clock.at = at
        facts = {"sight": lens.found(contrast, baselines=baselines)}
        self.ledger.judge([Observation(CAMERA.id, "snapshot", at, 0.1, facts=facts)], at)
        await self.recorder.flush()

    async def pass_time(self, at: datetime) -> None:
        self.clock.at = at
        await self.recorder.flush()

    def causes(self) -> set[Cause]:
        entry = self.ledger.entry(CAMERA.id)
        assert entry is not None
        return {reason.cause for reason in entry.reasons}

    async def days(self) -> list[PictureDay]:
        return await self.store.read(picture_days.of, CAMERA.id, date(2026, 1, 1))


def moments(days: int, begin: datetime = BEGIN) -> Iterable[tuple[int, datetime]]:
    """Five pictures a day, from ten in the morning on."""
    for day in range(days):
        for picture in range(5):
            yield day, begin + timedelta(days=day, hours=picture)


async def registered(store: Store) -> None:
    await store.write(register.apply, [CAMERA], author="test", at=BEGIN)


async def test_a_lens_that_gets_dirtier_is_found_cleaned_and_followed_anew(store: Store, tmp_path: Path) -> None:
    await registered(store)
    service = await Service(store, tmp_path).begin(BEGIN)
    for day, at in moments(52):
        await service.see(at, 1.0 - 0.01 * max(0, day - 15))
        if Cause.DIRTY in service.causes():
            break
    assert Cause.DIRTY in service.causes()
    assert 40 <= day <= 48
    begun = (await service.days())[0].begins
    assert begun == date(2026, 7, 1)
    for _ in range(5):
        at += timedelta(minutes=1)
        await service.pass_time(at)
    (order,) = service.dispatcher.orders.values()
    assert order.cause is Cause.DIRTY
    await service.recorder.edit_order(order.id, lambda one, policy: deeds.assign(one, "con", "", DUTY, at, policy))
    await service.recorder.edit_order(order.id, lambda one, _: deeds.accept(one, DUTY, at))
    await service.recorder.edit_order(order.id, lambda one, _: deeds.fix(one, "wiped", DUTY, at))
    cleaned = at + timedelta(minutes=2)
    for minutes in range(0, 25, 4):
        await service.see(cleaned + timedelta(minutes=minutes), 1.0)
        await service.pass_time(cleaned + timedelta(minutes=minutes + 1))
    assert service.dispatcher.orders[order.id].state is OrderState.VERIFIED
    assert service.causes() == set()
    entry = service.ledger.entry(CAMERA.id)
    assert entry is not None
    assert trend.begins(entry.probes[0].facts) == cleaned.astimezone(CHINA).date()
    # And it is so after a kill in the next moment.
    again = await Service(store, tmp_path).begin(cleaned + timedelta(hours=2))
    entry = again.ledger.entry(CAMERA.id)
    assert entry is not None
    assert trend.begins(entry.probes[0].facts) == cleaned.astimezone(CHINA).date()


async def test_killed_after_any_picture_its_days_are_those_of_one_that_went_on(store: Store, tmp_path: Path) -> None:
    await registered(store)
    random = np.random.default_rng(3)
    shown = [(at, float(random.uniform(0.7, 1.1))) for _, at in moments(12)]
    service = await Service(store, tmp_path).begin(BEGIN)
    for n, (at, contrast) in enumerate(shown):
        if n % 3 == 2:
            # Nothing is closed or told: what is not on disk is gone.
            service = await Service(store, tmp_path).begin(at)
        await service.see(at, contrast)
    killed = await service.days()
    whole = Service(store, tmp_path)
    days: list[PictureDay] = []
    for at, contrast in shown:
        facts = {"sight": lens.found(contrast)}
        whole.ledger.follow(Register(devices={CAMERA.id: CAMERA}), at)
        whole.ledger.judge([Observation(CAMERA.id, "snapshot", at, 0.1, facts=facts)], at)
        days += whole.ledger.collect(None).days.values()
    assert [rounded(one) for one in killed] == [rounded(one) for one in days]
    assert [one.pictures for one in killed] == [5] * 11


def rounded(one: PictureDay) -> tuple[object, ...]:
    usual = None if one.usual is None else round(one.usual, 3)
    return one.day, one.begins, one.regime, one.pictures, round(one.contrast, 3), round(one.clear, 3), usual


async def test_accepted_anew_a_view_begins_anew_and_old_days_go(store: Store, tmp_path: Path) -> None:
    await registered(store)
    service = await Service(store, tmp_path).begin(BEGIN)
    service.recorder.keep_days = lambda: 60
    for day, at in moments(70):
        await service.see(at, 1.0, "1" if day < 40 else "2")
    days = await service.days()
    assert [one.day for one in days] == [BEGIN.date() + timedelta(days=n) for n in range(8, 69)]
    assert {one.begins for one in days} == {BEGIN.date(), BEGIN.date() + timedelta(days=40)}


async def test_a_full_database_loses_no_day(store: Store, tmp_path: Path) -> None:
    """What could not be written is written with the next: the day that is over waits with it."""
    await registered(store)
    service = await Service(store, tmp_path).begin(BEGIN)
    for _, at in moments(1):
        await service.see(at, 0.9)
    service.clock.at = at + timedelta(days=1)
    seen = Observation(CAMERA.id, "snapshot", service.clock.at, 0.1, facts={"sight": lens.found(0.8)})
    service.ledger.judge([seen], service.clock.at)
    taken = service.ledger.collect(None)
    service.ledger.restore(taken)
    await service.recorder.flush()
    (day,) = await service.days()
    assert (day.day, day.contrast, day.pictures) == (BEGIN.date(), 0.9, 5)
