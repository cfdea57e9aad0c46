"""A console of its own for each test, on a loopback port, with a browser and a script to ask it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from camera_registry import console
from camera_registry.board import Board
from camera_registry.model.baseline import Acceptance, Baseline, Regime, Terms
from camera_registry.model.device import Device
from camera_registry.model.discovery import Progress
from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.incident import Incident, IncidentChange, Severity
from camera_registry.model.observation import Observation
from camera_registry.model.people import Contractor, Role, User
from camera_registry.model.place import Area
from camera_registry.model.register import Item
from camera_registry.model.work_order import OrderChange, WorkOrder
from camera_registry.model.wrong import Wrong
from camera_registry.rules.dispatch.book import OrderBook, Scene
from camera_registry.rules.dispatch.deeds import Actor
from camera_registry.rules.dispatch.opening import Wish, by_hand
from camera_registry.rules.pictures.weather import AreaWeather, Coming
from camera_registry.settings import Settings
from camera_registry.store import Store, access, audit, incidents, orders, register, tokens
from camera_registry.store.baselines import Superseded, Unfit
from camera_registry.store.credentials import Vault
from camera_registry.store.keys import new_key
from camera_registry.store.passwords import Passwords
from camera_registry.store.photographs import Photographs
from camera_registry.store.pictures import PictureKind, Pictures
from exporters.service import ServiceMetrics
from probes.base import Step
from probes.picture.desk import Measured, PictureDesk
from tests.console import fleet
from tests.shaped import shaped

PASSWORD = "four words make one"


@dataclass
class Searches:
    """Stands for the search of the networks; ``begun`` holds whether each start was to go on with the last one."""

    progress: Progress = field(default_factory=Progress)
    begun: list[bool] = field(default_factory=list)

    def start(self, *, resume: bool = False) -> bool:
        if self.progress.running:
            return False
        self.begun.append(resume)
        self.progress = Progress(running=True, begun=fleet.NOW, total=254)
        return True

    def stop(self) -> None:
        self.progress = replace(self.progress, running=False, ended=fleet.NOW, position=100)


@dataclass
class Accepted:
    """Stands for the pictures that were accepted: it takes any picture but one of nothing."""

    pictures: Pictures
    kept: list[Baseline] = field(default_factory=list)

    def of(self, device: str, channel: str) -> Sequence[Baseline]:
        return [one for one in self.kept if (one.device, one.channel) == (device, channel)]

    async def accept(
        self,
        device: Device,
        channel: str,
        kind: PictureKind,
        reason: str,
        author: str,
        taken: datetime | None = None,
    ) -> Baseline:
        picture = self.pictures.read(device.id, channel, kind)
        if picture is None:
            raise Unfit("")
        if taken is not None and taken != picture.at:
            raise Superseded("")
        number = len(self.kept) + 1
        self.kept.append(Baseline(number, device.id, channel, Regime.DAY, picture.at, "", author, fleet.NOW, reason))
        return self.kept[-1]

    async def take_back(self, id: int, author: str) -> Baseline | None:
        gone = next((one for one in self.kept if one.id == id), None)
        self.kept = [one for one in self.kept if one.id != id]
        return gone

    async def picture(self, baseline: Baseline) -> bytes | None:
        picture = self.pictures.read(baseline.device, baseline.channel, PictureKind.LAST)
        return picture and picture.jpeg


@dataclass
class Jobs:
    """Stands for the job that accepts many pictures: told to start, it does, and gets nowhere."""

    progress: Acceptance = field(default_factory=Acceptance)
    wanted: Sequence[tuple[str, str]] = ()
    terms: Terms = field(default_factory=Terms)

    async def start(self, channels: Sequence[tuple[str, str]], author: str, terms: Terms) -> bool:
        if self.progress.running:
            return False
        self.wanted, self.terms = channels, terms
        self.progress = Acceptance(running=True, begun=fleet.NOW, total=len(channels), by=author)
        return True

    async def stop(self) -> None:
        self.progress = replace(self.progress, running=False, ended=fleet.NOW, stopped=True)


@dataclass
class Sky:
    """The weather that a test wants, over all areas in which it is."""

    weather: list[AreaWeather] = field(default_factory=list)
    may_come: list[Coming] = field(default_factory=list)

    def told(self, now: datetime) -> Sequence[AreaWeather]:
        return self.weather

    def over(self, area: str, now: datetime) -> AreaWeather | None:
        return next((one for one in self.weather if one.area == area), None)

    def coming(self, area: str, by_day: bool | None, now: datetime) -> Coming | None:
        return next((one for one in self.may_come if one.area == area and by_day is not None), None)


@dataclass
class Site:
    """A running console, and what a test may look at or change behind its back."""

    url: str
    board: Board
    store: Store
    pictures: Pictures
    deps: console.Deps
    app: web.Application
    searches: Searches
    jobs: Jobs
    sky: Sky
    probed: list[str] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)
    reloads: list[Sequence[Wrong]] = field(default_factory=list)
    ready: bool = True
    settings: Settings = field(default_factory=Settings)
    ahead: float = 0.0
    desk_runs: bool = False

    def user(self, name: str, role: Role, crew: str = "") -> None:
        """Somebody with PASSWORD."""
        user = User(name, role, "en", crew=crew)
        self.store.write_now(access.create_account, user, KEPT, author="test", at=self.deps.now())

    def token(self, role: Role, *, expires_at: datetime | None = None) -> dict[str, str]:
        """The header of a program with this role."""
        text = self.store.write_now(
            tokens.create, "test", role, expires_at=expires_at, author="test", at=self.deps.now()
        )
        return {"Authorization": f"Bearer {text}"}

    def trail(self, action: str) -> list[audit.Record]:
        """What the audit trail holds of an action, newest first."""
        return [row for row in self.store.read_now(audit.trail, limit=1000) if row.action == action]


KEPT = Passwords().hash_now(PASSWORD)


class Browser:
    """A client that keeps cookies and does what a page's form does."""

    def __init__(self, session: aiohttp.ClientSession, site: Site) -> None:
        self.session = session
        self.site = site

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        """``path`` as it stands in a page: what is encoded in it stays so."""
        async with self.session.get(self._url(path), headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def submit(self, path: str, form: dict[str, str], **headers: str) -> tuple[int, str]:
        headers.setdefault("Origin", self.site.url)
        async with self.session.post(self._url(path), data=form, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", "") or await answer.text()

    def _url(self, path: str) -> URL:
        return URL(self.site.url + path, encoded="%" in path)

    async def sign_in(self, name: str, password: str = PASSWORD) -> int:
        status, _ = await self.submit("/sign-in", {"name": name, "password": password})
        return status

    async def csrf(self) -> str:
        """The token in a page's own form."""
        _, text = await self.get("/account")
        found = re.search(r'name="csrf" value="([^"]+)"', text)
        assert found
        return found[1]


class Script:
    """A program with a token."""

    def __init__(self, session: aiohttp.ClientSession, site: Site, role: Role) -> None:
        self.session = session
        self.site = site
        self.headers = site.token(role)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        """Status, JSON (or text) and headers of an answer."""
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with self.session.request(method, self.site.url + path, json=body, headers=sent) as answer:
            is_json = "json" in answer.content_type
            return answer.status, await (answer.json() if is_json else answer.text()), answer.headers


@pytest.fixture
def board() -> Board:
    return fleet.board(40)


@pytest.fixture
def store(tmp_path: Path, board: Board) -> Iterator[Store]:
    with Store.open("", shaped(tmp_path / "data")) as opened:
        areas = [Area(code, name, fleet.PARENTS.get(code, "")) for code, name in fleet.AREAS.items()]
        devices = [entry.device for entry in board]
        items: list[Item] = [*areas, Contractor("weibao-1", "蓉安维保"), *fleet.CREWS, *devices]
        opened.write_now(register.apply, items, author="import", at=fleet.NOW)
        yield opened


@pytest.fixture
async def site(request: pytest.FixtureRequest, tmp_path: Path, board: Board, store: Store) -> AsyncIterator[Site]:
    """On loopback, unless a test's parameter says that the listener can be reached from elsewhere."""
    pictures = Pictures(tmp_path / "pictures")

    async def probe_now(device: Device) -> Sequence[tuple[Observation, Sequence[Step]]]:
        made.probed.append(device.id)
        seen = Observation(device.id, "onvif", fleet.NOW, 0.04, facts={"model": device.model, **made.found})
        return [(seen, [Step("onvif.time", {"offset": "+0.4"})])]

    async def reload() -> Sequence[Wrong]:
        return made.reloads.pop() if made.reloads else ()

    async def changed() -> None:
        kept = await store.read(register.load_register)
        gone = [entry.device.id for entry in board if entry.device.id not in kept.devices]
        fresh = [fleet.healthy(device) for device in kept.devices.values() if board.get(device.id) is None]
        board.swap(fresh, gone)

    async def edit_incident(id: int, change: Callable[[Incident], IncidentChange]) -> Incident | None:
        if id not in board.incidents:
            return None
        step = change(board.incidents[id])
        await store.write(incidents.save, [step.incident], [step])
        board.swap((), (), {**board.incidents, id: step.incident})
        return step.incident

    async def edit_order(id: int, change: Callable[[WorkOrder, DispatchPolicy], OrderChange]) -> WorkOrder | None:
        order = board.orders.get(id) or await store.read(orders.get, id)
        if order is None:
            return None
        step = change(order, DispatchPolicy())
        await store.write(orders.save, [step.order], [step])
        board.swap((), (), orders={**board.orders, id: step.order})
        return step.order

    async def open_order(wish: Wish, actor: Actor) -> WorkOrder:
        kept = await store.read(register.load_register)
        book = OrderBook(board.orders, await store.read(orders.newest))
        scene = Scene(kept, incidents=board.incidents)
        entry = board.get(wish.device)
        step = by_hand(book, scene, wish, entry.states if entry else (), Severity.P3, actor, fleet.NOW)
        await store.write(orders.save, [step.order], [step])
        board.swap((), (), orders={**board.orders, step.order.id: step.order})
        return step.order

    desk = PictureDesk()

    async def renew(photograph: bytes, side: int, timeout: float) -> Measured:
        if not made.desk_runs:
            made.desk_runs = True
            await desk.start()
        return await desk.renew(photograph, side, timeout)

    searches, jobs, sky = Searches(), Jobs(), Sky()
    deps = console.Deps(
        board=board,
        store=store,
        settings=lambda: made.settings,
        reload=reload,
        changed=changed,
        probe_now=probe_now,
        edit_incident=edit_incident,
        remark=lambda step: store.write(incidents.save, (), [step]),
        edit_order=edit_order,
        open_order=open_order,
        photographs=Photographs(tmp_path / "photographs"),
        renew=renew,
        covering=lambda device, now: None,
        ready=lambda: made.ready,
        alarms=lambda: [] if made.ready else ["alarm.not_written"],
        pictures=pictures,
        vault=Vault([new_key()]),
        metrics=ServiceMetrics(board, "test"),
        discovery=searches,
        gallery=Accepted(pictures),
        acceptance=jobs,
        sightings=sky,
        loopback=getattr(request, "param", True),
        now=lambda: fleet.NOW + timedelta(seconds=made.ahead),
    )
    app = console.build(deps)
    made = Site("", board, store, pictures, deps, app, searches, jobs, sky)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()
    await desk.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as made:
        yield made


@pytest.fixture
def browser(session: aiohttp.ClientSession, site: Site) -> Browser:
    return Browser(session, site)


@pytest.fixture
async def admin(browser: Browser, site: Site) -> Browser:
    """A browser that an administrator has signed in with."""
    site.user("root", Role.ADMIN)
    assert await browser.sign_in("root") == 303
    return browser


@pytest.fixture
async def script(site: Site) -> AsyncIterator[Script]:
    """A program that may do everything."""
    async with aiohttp.ClientSession() as made:
        yield Script(made, site, Role.ADMIN)
