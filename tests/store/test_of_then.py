"""Reports of a past month go by the register of that month: tree, names, hours, reach of windows, removed devices."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from camera_registry.model.device import Channel, Device, Kind, Life
from camera_registry.model.health import Aspect
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.model.people import Contractor
from camera_registry.model.place import Area, Site, View
from camera_registry.model.register import Item
from camera_registry.rules import of_then
from camera_registry.rules.availability import between
from camera_registry.store import Store, register, windows
from camera_registry.store import of_then as stored
from camera_registry.store.measuring import measure
from camera_registry.texts import texts
from exporters.report.order import Kind as Report
from exporters.report.order import Order
from tests.store.test_rates import DOWN, LATER, OK, SHANGHAI, START, chain, gap, keep, october, record, recording
from tests.store.test_reports import OCTOBER, desk, rows

HOUR = timedelta(hours=1)
BEFORE = START - 900 * HOUR
NOVEMBER = START + 800 * HOUR


def put(store: Store, at: object, *items: Item) -> None:
    store.write_now(register.apply, items, author="test", at=at)  # type: ignore[arg-type]


def well(store: Store, *ids: str) -> None:
    keep(store, [flip for id in ids for flip in chain(id, Aspect.REACH, (-5, OK))])


def test_an_area_counts_for_what_it_lay_in_at_the_time(store: Store) -> None:
    """The grid goes from street A to street B at hour 240; its camera is lost 24 h before that and 12 h after it."""
    put(store, BEFORE, Area("a"), Area("b"), Area("grid", parent="a"), Device("cam-1", Kind.CAMERA, area="grid"))
    put(store, START + 240 * HOUR, Area("grid", parent="b"))
    put(store, NOVEMBER, Area("grid"))
    keep(store, chain("cam-1", Aspect.REACH, (-5, OK), (216, DOWN), (252, OK)))
    found = {row["group"]: row for row in rows(desk(store).make(OCTOBER, texts("en")), "by_area")}
    assert (found["a"]["online_bad"], found["a"]["online_good"]) == (24 * 3600, 216 * 3600)
    assert (found["b"]["online_bad"], found["b"]["online_good"]) == (12 * 3600, 492 * 3600)
    assert found["grid"]["online_bad"] == 36 * 3600
    part = desk(store).make(replace(OCTOBER, area="b"), texts("en"))
    assert rows(part, "total")[0]["online_bad"] == 12 * 3600


def test_names_are_those_of_the_end_of_the_period_and_what_was_taken_out_keeps_its_last(store: Store) -> None:
    named = Device("cam-1", Kind.CAMERA, "Old gate", area="a", contractor="con")
    put(
        store,
        BEFORE,
        Area("a", "Old town"),
        Contractor("con", "Old hands"),
        named,
        Device("cam-2", Kind.CAMERA, "Pier"),
    )
    well(store, "cam-1", "cam-2")
    store.write_now(register.apply, (), [("device", "cam-2")], author="test", at=START + 400 * HOUR)
    put(store, NOVEMBER, Area("a", "New town"), Contractor("con", "New hands"), replace(named, name="New gate"))
    put(store, NOVEMBER, Device("cam-3", Kind.CAMERA))
    report = desk(store).make(OCTOBER, texts("en"))
    assert {row["device"]: row["name"] for row in rows(report, "devices")} == {"cam-1": "Old gate", "cam-2": "Pier"}
    assert {row["group"]: row["name"] for row in rows(report, "by_area")} == {"a": "Old town", "(none)": ""}
    assert {row["name"] for row in rows(report, "by_contractor")} == {"Old hands", ""}
    # A contractor that is gone today can be asked for as long as it was there then.
    put(store, NOVEMBER + HOUR, replace(named, contractor=""))
    store.write_now(register.apply, (), [("contractor", "con")], author="test", at=NOVEMBER + 2 * HOUR)
    asked = desk(store).make(Order(Report.CONTRACTORS, "2026-10", contractor="con"), texts("en"))
    assert [(row["name"], row["devices"]) for row in rows(asked, "contractors")] == [("Old hands", 1)]


def test_hours_of_a_site_are_those_of_the_time(store: Store) -> None:
    """Recorded with one hour missing at night: until hour 24 the hours were 07:00-22:00, then all day."""
    put(store, BEFORE, Site("s", hours="07:00-22:00"), Device("rec-1", Kind.RECORDER, site="s"))
    put(store, START + 24 * HOUR, Site("s"))
    put(store, NOVEMBER, Site("s", hours="09:00-10:00"))
    well(store, "rec-1")
    record(store, recording("a", -24, 760, gap(3, 4), gap(27, 28)))
    sums = october(store).sums["rec-1"]
    hour = HOUR // timedelta(microseconds=1)
    assert (sums.recording_bad, sums.recording_good) == (1 * hour, (15 + 30 * 24 - 1) * hour)


def test_a_window_reaches_what_stood_there_at_the_time(store: Store) -> None:
    """Area A is worked on from hour 10 to 20. cam-1 leaves it at 14, cam-2 comes at 16, cam-3 is taken out in November
    and cam-4 comes only then."""
    cameras = [
        Device("cam-1", Kind.CAMERA, area="a"),
        Device("cam-2", Kind.CAMERA),
        Device("cam-3", Kind.CAMERA, area="a"),
    ]
    put(store, BEFORE, Area("a"), *cameras)
    put(store, START + 14 * HOUR, Device("cam-1", Kind.CAMERA))
    put(store, START + 16 * HOUR, Device("cam-2", Kind.CAMERA, area="a"))
    store.write_now(register.apply, (), [("device", "cam-3")], author="test", at=NOVEMBER)
    put(store, NOVEMBER, Device("cam-4", Kind.CAMERA, area="a"), Device("cam-2", Kind.CAMERA))
    well(store, "cam-1", "cam-2", "cam-3")
    work = Window(0, WindowKind.FIXED, Cover(areas=("a",)), START + 10 * HOUR, START + 20 * HOUR, "w", "li", START)
    store.write_now(windows.create, work)
    hour = HOUR // timedelta(microseconds=1)
    planned = {id: sums.maintenance / hour for id, sums in october(store).sums.items()}
    assert planned == {"cam-1": 4, "cam-2": 4, "cam-3": 10}
    told = [
        (row["device"], row["length"])
        for row in rows(desk(store).make(Order(Report.CONTRACTORS, "2026-10"), texts("en")), "excluded")
    ]
    assert sorted(told) == [("cam-1", 4 * 3600), ("cam-2", 4 * 3600), ("cam-3", 10 * 3600)]


def test_days_that_were_kept_before_a_device_came_hold_it_as_not_in_service(store: Store) -> None:
    put(store, BEFORE, Device("cam-1", Kind.CAMERA))
    well(store, "cam-1")
    measure(store, between(START, START + 240 * HOUR, SHANGHAI, LATER))
    put(store, START + 250 * HOUR, Device("cam-2", Kind.CAMERA))
    keep(store, chain("cam-2", Aspect.REACH, (251, OK)))
    sums = october(store).sums["cam-2"]
    hour = HOUR // timedelta(microseconds=1)
    assert (sums.idle, sums.online_unknown, sums.online_good) == (250 * hour, 1 * hour, 493 * hour)


def test_coverage_of_a_past_month_has_its_names_and_charges_who_kept_the_device_then(store: Store) -> None:
    camera = Device("cam-1", Kind.CAMERA, contractor="east")
    put(
        store, BEFORE, Contractor("east", "East"), Contractor("west", "West"), Site("gate", "Old gate"), camera,
        Channel("c", "cam-1"), View("N", "gate", channels=("c",)),
    )  # fmt: skip
    for aspect in (Aspect.STREAM, Aspect.PICTURE):
        keep(store, chain("cam-1", aspect, (-5, OK)))
    keep(store, chain("cam-1", Aspect.REACH, (-5, OK), (10, DOWN), (12, OK), (100, DOWN), (105, OK)))
    put(store, START + 50 * HOUR, replace(camera, contractor="west"))
    put(store, NOVEMBER, Site("gate", "New gate"), replace(camera, life=Life.RETIRED))
    report = desk(store).make(Order(Report.COVERAGE, "2026-10"), texts("en"))
    assert [row["name"] for row in rows(report, "sites")] == ["Old gate"]
    assert {row["name"]: row["charged"] for row in rows(report, "charged")} == {"West": 5 * 3600, "East": 2 * 3600}


def test_undoing_every_edit_gives_the_register_back_as_it_was(store: Store) -> None:
    first = [Area("a"), Device("cam-1", Kind.CAMERA, tags=("x",), azimuth=10), Site("s"), View("N", "s")]
    put(store, BEFORE, *first)
    known = store.read_now(register.load_register)
    put(store, NOVEMBER, Device("cam-1", Kind.TRAFFIC_UNIT, life=Life.SUSPENDED, tags=("y", "z")), Area("b"))
    store.write_now(register.apply, (), [("view", "N"), ("site", "s")], author="test", at=NOVEMBER + HOUR)
    store.write_now(register.apply, (), [("device", "cam-1")], author="test", at=NOVEMBER + 2 * HOUR)
    present, edits = store.read_now(register.load_register), store.read_now(stored.edits, START)
    assert of_then.then(present, edits, START + HOUR).end == known
    then = of_then.then(present, edits, NOVEMBER + 3 * HOUR)
    assert (then.end, then.last.devices["cam-1"].kind) == (present, Kind.TRAFFIC_UNIT)
