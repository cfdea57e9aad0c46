"""A month of coverage that was frozen stays, and what came late is told site by site; and audits of one contractor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from camera_registry.model.device import Channel, Device, Kind
from camera_registry.model.health import Aspect, Cause, Flip, State, Subject
from camera_registry.model.people import Contractor
from camera_registry.model.place import Site, View
from camera_registry.model.policy import PollPolicy
from camera_registry.rules.availability import NoPeriod
from camera_registry.rules.coverage.sight import NEEDED
from camera_registry.store import Store, health, register
from camera_registry.store import audit as trail
from camera_registry.texts import texts
from exporters.report.document import Document
from exporters.report.making import Desk
from exporters.report.order import Kind as Report
from exporters.report.order import Order
from tests.store.test_reports import rows

SEPTEMBER = datetime(2026, 8, 31, 16, tzinfo=UTC)
OCTOBER = datetime(2026, 9, 30, 16, tzinfo=UTC)
"""When the months begin in Shanghai; October has 744 hours, September 720."""
LATER = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


def order(month: str = "2026-10", **chosen: str) -> Order:
    return Order(Report.COVERAGE, month, **chosen)


def desk(store: Store) -> Desk:
    return Desk(store, PollPolicy({}, {}), "Asia/Shanghai", lambda: LATER)


def report(store: Store, **chosen: str) -> Document:
    return desk(store).make(order(**chosen), texts("en"))


def fact(document: Document, name: str) -> object:
    return next((one.value for one in document.facts if one.name == name), None)


def lost(store: Store, device: str, since: datetime, hours: float) -> None:
    until = since + hours * HOUR
    subject = Subject(device, Aspect.REACH)
    flips = [
        Flip(subject, State.OK, State.DOWN, since, since, Cause.TIMEOUT),
        Flip(subject, State.DOWN, State.OK, until, until),
    ]
    store.write_now(health.save, (), flips)


@pytest.fixture
def city(store: Store) -> Store:
    """The gate with two views by cameras of two contractors, the pier with one, and a square of which nothing is
    required."""
    before = SEPTEMBER - 24 * HOUR
    devices = [
        Device("cam-1", Kind.CAMERA, contractor="east"),
        Device("cam-2", Kind.CAMERA, contractor="west"),
        Device("cam-3", Kind.CAMERA, contractor="west"),
    ]
    items = [
        Contractor("east", "East"),
        Contractor("west", "West"),
        Site("gate", required_availability=0.96),
        Site("pier"),
        Site("square", "Square"),
        *devices,
        *(Channel(f"{one.id}/1", one.id) for one in devices),
        View("N", "gate", channels=("cam-1/1",)),
        View("S", "gate", channels=("cam-2/1",)),
        View("W", "pier", channels=("cam-3/1",)),
    ]
    store.write_now(register.apply, items, author="root", at=before)
    well = [
        Flip(Subject(one.id, aspect), State.UNKNOWN, State.OK, before, before) for one in devices for aspect in NEEDED
    ]
    store.write_now(health.save, (), well)
    return store


def test_late_data_is_a_correction_of_the_site_and_the_view_and_the_next_month_keeps_the_frozen_figures(
    city: Store,
) -> None:
    # Of 2 x 720 h at the gate 72 h are lost in September: 95 %; all of October is well.
    lost(city, "cam-1", SEPTEMBER, 72)
    period, done = desk(city).freeze(order("2026-09"), "li")
    assert done
    assert rows(report(city, month="2026-09"), "corrections") == []
    # Another 72 h come late: the frozen figures stay where they are told.
    lost(city, "cam-2", SEPTEMBER + 100 * HOUR, 72)
    late = report(city, month="2026-09")
    gate = next(row for row in rows(late, "sites") if row["site"] == "gate")
    # Of 1440 h 57.6 h may be uncovered, and 144 h were.
    assert (gate["demanded"], gate["kept"]) == (
        0.96,
        "Missed: views were uncovered 3 days 14 hours longer than that allows.",
    )
    assert fact(late, "kept") == "of 1 required: 0 met, 1 missed, 0 can't be told"
    (site,) = rows(late, "corrections")
    assert (site["site"], site["frozen_coverage"], site["coverage"]) == ("gate", 0.95, 0.9)
    (view,) = rows(late, "corrected_views")
    assert (view["site"], view["view"], view["frozen_uncovered"], view["uncovered"]) == ("gate", "S", 0, 72 * 3600)
    # West keeps cam-2: what it owes is more than was frozen, what East owes is as it was.
    (owed,) = rows(late, "corrected_charges")
    assert (owed["contractor"], owed["frozen_charged"], owed["charged"]) == ("west", 0, 72 * 3600)
    assert rows(report(city, month="2026-09", contractor="east"), "corrected_charges") == []
    assert str(fact(late, "frozen")).startswith("2026-09: ")
    assert "li" in str(fact(late, "frozen"))
    october = report(city)
    gate = next(row for row in rows(october, "sites") if row["site"] == "gate")
    assert (gate["before"], gate["coverage"], gate["difference"]) == (0.95, 1.0, "+5.000")
    assert "li" in str(fact(october, "frozen_before"))
    # Once is for good, and who did it is in the trail.
    assert desk(city).freeze(order("2026-09"), "wang") == (period, False)
    assert [
        row.actor for row in city.read_now(lambda tx: trail.trail(tx, about="report/coverage/2026-09/Asia/Shanghai"))
    ] == ["li"]


def test_what_was_frozen_of_availability_is_another_thing(city: Store) -> None:
    assert desk(city).freeze(Order(Report.AVAILABILITY, "2026-10"), "li")[1]
    assert fact(report(city), "frozen") is None
    assert desk(city).freeze(order(), "li")[1]


def test_a_month_that_goes_on_is_not_frozen(city: Store) -> None:
    with pytest.raises(NoPeriod, match="open"):
        desk(city).freeze(order("2026-11"), "li")


def test_a_report_on_a_contractor_tells_of_its_views_and_what_it_owes(city: Store) -> None:
    """cam-2 is lost for 74.4 of 744 h, cam-1 for 37.2: of west's two views 95 % was covered, of east's one 95 %."""
    lost(city, "cam-2", OCTOBER, 74.4)
    lost(city, "cam-1", OCTOBER, 37.2)
    west = report(city, contractor="west")
    assert [row["site"] for row in rows(west, "sites")] == ["gate", "pier"]
    assert fact(west, "coverage").value == pytest.approx(0.95)  # type: ignore[union-attr]
    assert [(row["contractor"], row["charged"]) for row in rows(west, "charged")] == [("west", 74.4 * 3600)]
    east = report(city, contractor="east")
    assert [(row["site"], row["coverage"]) for row in rows(east, "sites")] == [("gate", 0.95)]
    everybody = rows(report(city), "charged")
    assert [(row["contractor"], row["charged"]) for row in everybody] == [("west", 74.4 * 3600), ("east", 37.2 * 3600)]


def test_sites_without_views_are_told_as_errors_with_their_remedy(city: Store) -> None:
    (row,) = rows(report(city), "without_views")
    assert (row["site"], row["name"]) == ("square", "Square")
    assert "square" in str(row["flaw"])
    assert "Add a view" in str(row["remedy"])


def test_who_stops_watching_stops_the_work(city: Store) -> None:
    class Enough(Exception):
        pass

    told: list[tuple[int, int]] = []

    def step(done: int, of: int) -> None:
        told.append((done, of))
        if done == 3:
            raise Enough

    with pytest.raises(Enough):
        desk(city).make(order(), texts("en"), step)
    assert told[-1][0] == 3
    done: list[tuple[int, int]] = []
    desk(city).make(order(), texts("en"), lambda *told: done.append(told))
    assert done[-1][0] == done[-1][1] > 3
