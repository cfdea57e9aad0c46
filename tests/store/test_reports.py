"""What reports tell besides rates, and what is frozen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Aspect, Cause
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.model.observation import ProbeSeen
from camera_registry.model.people import Contractor
from camera_registry.model.place import Area, Site
from camera_registry.model.policy import PollPolicy
from camera_registry.model.work_order import OrderState
from camera_registry.rules.availability import NoPeriod
from camera_registry.rules.device_files import FileFinding, FileFlaw, audit, file_rate
from camera_registry.store import Store, health, incidents, orders, register, windows
from camera_registry.store import audit as trail
from camera_registry.texts import texts
from exporters.report.cells import plain
from exporters.report.document import Document
from exporters.report.making import Desk
from exporters.report.order import Kind as Report
from exporters.report.order import Order
from tests.notices import incident, order
from tests.store.test_rates import DOWN, LATER, OK, START, chain, gap, keep, record, recording, registered

OCTOBER = Order(Report.AVAILABILITY, "2026-10")
HOUR = timedelta(hours=1)


def desk(store: Store) -> Desk:
    return Desk(store, PollPolicy({}, {}), "Asia/Shanghai", lambda: LATER)


def rows(document: Document, table: str) -> list[dict[str, object]]:
    found = document.table(table)
    return [
        {column.name: plain(cell, document.zone) for column, cell in zip(found.columns, row, strict=True)}
        for row in found.rows
    ]


def test_a_frozen_month_stays_and_late_data_is_a_correction(store: Store) -> None:
    registered(store, "cam-1", "cam-2")
    # 744 h, of which 74.4 h are lost: 90 %.
    keep(
        store,
        [*chain("cam-1", Aspect.REACH, (-5, OK), (10, DOWN), (84.4, OK)), *chain("cam-2", Aspect.REACH, (-5, OK))],
    )
    period, done = desk(store).freeze(OCTOBER, "li")
    assert done
    report = desk(store).make(OCTOBER, texts("en"))
    assert rows(report, "corrections") == []
    # Hours 200 to 274.4 come late: 80 %.
    keep(store, chain("cam-1", Aspect.REACH, (200, DOWN), (274.4, OK)))
    report = desk(store).make(OCTOBER, texts("en"))
    (corrected,) = rows(report, "corrections")
    assert (corrected["device"], corrected["frozen_online"], corrected["online"]) == ("cam-1", 0.9, 0.8)
    assert rows(report, "frozen")[0]["online"] == 0.95
    # Frozen once is frozen for good, and who did it is in the trail.
    assert desk(store).freeze(OCTOBER, "wang") == (period, False)
    assert [
        row.actor
        for row in store.read_now(lambda tx: trail.trail(tx, about="report/availability/2026-10/Asia/Shanghai"))
    ] == ["li"]


def test_what_contractors_are_held_to_is_frozen_and_what_changes_later_is_a_correction(store: Store) -> None:
    people = [Contractor("con-a", "A"), Contractor("con-b", "B")]
    store.write_now(register.apply, people, author="test", at=START - 900 * HOUR)
    registered(store, "cam-1", contractor="con-a")
    registered(store, "cam-2", contractor="con-b")
    # 744 h, of which A's camera is lost for 74.4 h; its order is mended after 10 h.
    keep(
        store,
        [*chain("cam-1", Aspect.REACH, (-5, OK), (10, DOWN), (84.4, OK)), *chain("cam-2", Aspect.REACH, (-5, OK))],
    )
    made = replace(
        order(1), incident=1, about="cam-1", contractor="con-a", state=OrderState.VERIFIED, opened_at=START + 10 * HOUR,
        sent_at=START + 10 * HOUR, fixed_at=START + 20 * HOUR,
    )  # fmt: skip
    store.write_now(incidents.save, [incident(1, "cam-1")])
    store.write_now(orders.save, [made])
    scorecard = Order(Report.CONTRACTORS, "2026-10")
    assert desk(store).freeze(scorecard, "li")[1]
    report = desk(store).make(scorecard, texts("en"))
    assert "corrections" in {table.id for table in report.tables}
    assert rows(report, "corrections") == rows(report, "corrected_devices") == []
    # Late: another 74.4 h of outage, and the order turns out to have been mended after 30 h.
    keep(store, chain("cam-1", Aspect.REACH, (200, DOWN), (274.4, OK)))
    store.write_now(orders.save, [replace(made, fixed_at=START + 40 * HOUR, version=made.version + 1)])
    for asked in (scorecard, replace(scorecard, contractor="con-a")):
        report = desk(store).make(asked, texts("en"))
        told = {row["figure"]: (row["frozen"], row["now"]) for row in rows(report, "corrections")}
        assert told["Online rate"] == (0.9, 0.8)
        assert told["Not online"] == (74.4 * 3600, 148.8 * 3600)
        assert told["Mean time to repair"] == (10 * 3600, 30 * 3600)
        assert {row["contractor"] for row in rows(report, "corrections")} == {"con-a"}
        (device,) = rows(report, "corrected_devices")
        assert (device["device"], device["frozen_online"], device["online"]) == ("cam-1", 0.9, 0.8)
    assert rows(desk(store).make(replace(scorecard, contractor="con-b"), texts("en")), "corrections") == []
    # What was frozen of the scorecard is not the freeze of availability.
    assert "corrections" not in {table.id for table in desk(store).make(OCTOBER, texts("en")).tables}


@pytest.mark.parametrize(
    ("begins", "ends", "name"),
    [
        ("2026-10-01T00:00", "2026-11-01T00:00", "2026-10"),
        ("2026-10-01T00:00", "2026-12-01T00:00", "2026-10-01 – 2026-11-30"),
        ("2026-10-05T00:00", "2026-10-12T00:00", "2026-10-05 – 2026-10-11"),
        ("2026-10-05T00:00", "2026-10-06T00:00", "2026-10-05"),
        ("2026-10-05T08:00", "2026-10-06T00:00", "2026-10-05 08:00 – 2026-10-06 00:00"),
        # The month of another zone is none of Shanghai's.
        ("2026-10-01T00:00+00:00", "2026-11-01T00:00+00:00", "2026-10-01 08:00 – 2026-11-01 08:00"),
    ],
)
def test_a_whole_month_is_named_so_and_other_periods_by_their_dates(begins: str, ends: str, name: str) -> None:
    asked = Order(Report.AVAILABILITY, begins=datetime.fromisoformat(begins), ends=datetime.fromisoformat(ends))
    assert asked.named("Asia/Shanghai") == name
    assert asked.period("Asia/Shanghai", datetime(2027, 1, 1, tzinfo=UTC)).name == name


def test_an_area_has_the_sums_of_everything_below_it(store: Store) -> None:
    from camera_registry.model.place import Area

    places = [Area("city"), Area("grid-1", parent="city"), Area("grid-2", parent="city")]
    store.write_now(register.apply, places, author="test", at=START - HOUR)
    registered(store, "cam-1", area="grid-1", contractor="")
    registered(store, "cam-2", area="grid-2")
    keep(store, [*chain("cam-1", Aspect.REACH, (-5, DOWN)), *chain("cam-2", Aspect.REACH, (-5, OK))])
    report = desk(store).make(OCTOBER, texts("zh"))
    assert {row["group"]: row["online"] for row in rows(report, "by_area")} == {"city": 0.5, "grid-1": 0, "grid-2": 1}
    part = desk(store).make(Order(Report.AVAILABILITY, "2026-10", area="grid-2"), texts("zh"))
    assert [row["device"] for row in rows(part, "devices")] == ["cam-2"]
    assert rows(part, "days")[0]["online"] == 1


@pytest.mark.parametrize(
    ("order", "flaw"),
    [
        (Order(Report.AVAILABILITY, "2026-13"), "month"),
        (Order(Report.AVAILABILITY, "2030-01"), "future"),
        (Order(Report.AVAILABILITY, "2026-10", zone="Mars/Olympus"), "zone"),
        (Order(Report.AVAILABILITY, "2026-10", zone="../../etc/passwd"), "zone"),
        (Order(Report.AVAILABILITY, begins=START, ends=START), "reversed"),
        (Order(Report.CONTRACTORS, "2026-10", contractor="nobody"), "contractor"),
        (Order(Report.CONTRACTORS, "2026-10", area="nowhere"), "area"),
    ],
)
def test_what_cannot_be_reported_is_said(store: Store, order: Order, flaw: str) -> None:
    with pytest.raises(NoPeriod) as caught:
        desk(store).make(order, texts("en"))
    assert caught.value.flaw == flaw
    assert texts("zh")(f"report_flaw.{flaw}", **caught.value.values)


def test_device_files_are_held_against_themselves_each_other_and_the_device() -> None:
    whole = Device(
        "net-1", Kind.NETWORK, "Switch", "10.0.0.1", national_code="1" * 20, area="a", manufacturer="M", model="X",
        serial="S1", firmware="1", mac="aa:bb:cc:dd:ee:ff", longitude=100, latitude=30, owner="o", contractor="c",
    )  # fmt: skip
    from dataclasses import replace
    from datetime import date

    whole = replace(whole, contract_end=date(2027, 1, 1), installed=date(2020, 1, 1))
    bad = replace(
        whole,
        id="net-2",
        national_code="12",
        mac="xyz",
        longitude=200,
        contract_end=date(2019, 1, 1),
        serial="S2",
        owner="",
    )
    twin = replace(whole, id="net-3", national_code="2" * 20, mac="11:22:33:44:55:66")
    found = audit([whole, bad, twin], {"net-2": {"serial": "S9", "firmware": "1"}})
    assert {(one.device, one.field, one.flaw) for one in found} == {
        ("net-2", "owner", FileFlaw.MISSING),
        ("net-2", "national_code", FileFlaw.INVALID),
        ("net-2", "mac", FileFlaw.INVALID),
        ("net-2", "longitude", FileFlaw.INVALID),
        ("net-2", "contract_end", FileFlaw.CONTRADICTORY),
        ("net-2", "serial", FileFlaw.UNLIKE_DEVICE),
        ("net-1", "serial", FileFlaw.SHARED),
        ("net-3", "serial", FileFlaw.SHARED),
    }
    assert FileFinding("net-2", "serial", FileFlaw.UNLIKE_DEVICE, "S2", "S9") in found
    assert file_rate([whole, bad, twin], found) == 0
    assert file_rate([whole], audit([whole], {})) == 1


def test_a_device_that_changes_hands_is_charged_to_whom_it_belonged_then(store: Store) -> None:
    people = [Contractor("con-a", "A"), Contractor("con-b", "B")]
    store.write_now(register.apply, people, author="test", at=START - 900 * HOUR)
    registered(store, "cam-1", contractor="con-a")
    registered(store, "cam-2", contractor="con-a")
    # It goes to B on the 10th at 14:30, hour 230.5 of the month, in an outage from 226.5 to 240.5; another outage, of
    # 6 h, is A's alone. In November it goes back, which matters nothing.
    keep(
        store,
        [
            *chain("cam-1", Aspect.REACH, (-5, OK), (20, DOWN), (26, OK), (226.5, DOWN), (240.5, OK)),
            *chain("cam-2", Aspect.REACH, (-5, OK)),
        ],
    )
    for at, contractor in ((230.5, "con-b"), (800, "con-a")):
        # What its file did not say of it before, it has been all along.
        moved = Device("cam-1", Kind.CAMERA, contractor=contractor, manufacturer="Acme")
        store.write_now(register.apply, [moved], author="test", at=START + at * HOUR)
    window = Window(
        0, WindowKind.FIXED, Cover(devices=("cam-1",)), START + 229 * HOUR, START + 232 * HOUR, "work", "li", START
    )
    store.write_now(windows.create, window)
    report = desk(store).make(Order(Report.CONTRACTORS, "2026-10"), texts("en"))
    found = {row["contractor"]: row for row in rows(report, "contractors")}
    # A: cam-1 for 230.5 h, of which 1.5 h are planned, 6 + 2.5 h lost; and cam-2 for 744 h.
    a, b = found["con-a"], found["con-b"]
    assert (a["devices"], a["online_bad"], a["maintenance"], a["outages"]) == (2, 8.5 * 3600, 1.5 * 3600, 2)
    assert a["online_good"] == (744 + 230.5 - 1.5 - 8.5) * 3600
    # B: 513.5 h, of which 1.5 h are planned and 8.5 h lost; after the window it is lost still, so that begins anew.
    assert (b["devices"], b["online_bad"], b["maintenance"]) == (1, 8.5 * 3600, 1.5 * 3600)
    assert b["online_good"] == (513.5 - 1.5 - 8.5) * 3600
    assert [(row["contractor"], row["length"]) for row in rows(report, "excluded")] == [
        ("con-a", 1.5 * 3600),
        ("con-b", 1.5 * 3600),
    ]
    whole = desk(store).make(OCTOBER, texts("en"))
    assert {row["group"]: row["devices"] for row in rows(whole, "by_manufacturer")} == {"Acme": 1, "(none)": 1}
    # Asked for B alone, each day tells what is B's: of the 10th the 9.5 h after it came, less 1.5 h planned.
    of_b = desk(store).make(Order(Report.AVAILABILITY, "2026-10", contractor="con-b"), texts("en"))
    days = {row["day"]: row for row in rows(of_b, "days")}
    assert days["2026-10-10"]["online_bad"] == 8 * 3600
    assert days["2026-10-11"]["online_bad"] == 0.5 * 3600
    assert days["2026-10-09"]["online_good"] == 0


def test_orders_are_told_by_what_their_devices_were(store: Store) -> None:
    areas = [Area("510104", "District"), Area("510104001", "Street", "510104")]
    store.write_now(register.apply, areas, author="test", at=START - 900 * HOUR)
    registered(store, "cam-1", manufacturer="Acme", model="X")
    registered(store, "cam-2", manufacturer="Beta")
    # The first camera is replaced by another maker's at hour 100; an order before and one after it.
    new = Device("cam-1", Kind.CAMERA, manufacturer="Beta")
    store.write_now(register.apply, [new], author="test", at=START + 100 * HOUR)
    kept = [
        (1, "cam-1", 50, "510104001", Cause.TIMEOUT, OrderState.CLOSED),
        (2, "cam-1", 150, "510104001", Cause.TIMEOUT, OrderState.NEW),
        (3, "cam-2", 60, "510104", Cause.BLACK, OrderState.VERIFIED),
    ]
    made = [
        replace(
            order(id), incident=id, about=about, area=area, cause=cause, state=state, opened_at=START + at * HOUR,
            sent_at=START + at * HOUR, fixed_at=None if state is OrderState.NEW else START + (at + id) * HOUR,
        )
        for id, about, at, area, cause, state in kept
    ]  # fmt: skip
    store.write_now(incidents.save, [incident(id, about) for id, about, *_ in kept])
    store.write_now(orders.save, made)
    report = desk(store).make(Order(Report.CONTRACTORS, "2026-10"), texts("en"))

    def told(by: str) -> dict[object, tuple[object, object, object]]:
        found = rows(report, f"work_orders_by_{by}")
        return {row["group"]: (row["sent"], row["done"], row["mean_repair"]) for row in found}

    # A street counts for its district; mended after 1 h and after 3 h, 2 h in the mean.
    assert told("area") == {"510104": (3, 2, 7200), "510104001": (2, 1, 3600)}
    assert sorted(told("cause").values(), key=str) == [(1, 1, 10800), (2, 1, 3600)]
    assert told("manufacturer") == {"Acme": (1, 1, 3600), "Beta": (2, 1, 10800)}
    assert told("device") == {"cam-1": (2, 1, 3600), "cam-2": (1, 1, 10800)}
    assert told("kind") == {"Camera": (3, 2, 7200)}


def test_a_recorder_that_lacks_pictures_is_listed_and_one_that_does_not_tell_says_why(store: Store) -> None:
    registered(store, "rec-1", "rec-2")
    keep(store, [*chain("rec-1", Aspect.REACH, (-5, OK)), *chain("rec-2", Aspect.REACH, (-5, OK))])
    record(store, recording("short", -24, 760, gap(10, 12), gap(-5, 1)), recording("open", -24, 700, gap(640, 700)))
    runs = [ProbeSeen("recording", "", START, 0.1, None, START, {"profile_g": False})]
    store.write_now(health.save, (), (), [("rec-2", run) for run in runs])
    report = desk(store).make(OCTOBER, texts("en"))
    found = [(row["recording_name"], row["length"], row["ends"] is None) for row in rows(report, "recording_gaps")]
    # The last one began in September: 1 h of it is October's.
    assert found == [("open", 60 * 3600, True), ("short", 2 * 3600, False), ("short", 3600, False)]
    (why,) = rows(report, "not_computable")
    assert why["device"] == "rec-2"
    assert "Profile G" in str(why["why"])
    devices = {row["device"]: row["recording"] for row in rows(report, "devices")}
    # 1,488 h required, 44 h of them unknown; 63 h missing.
    assert devices == {"rec-1": pytest.approx((1488 - 44 - 63) / (1488 - 44)), "rec-2": None}


def test_outside_the_hours_of_its_site_nothing_need_be_recorded(store: Store) -> None:
    store.write_now(register.apply, [Site("site-1", hours="07:00-22:00")], author="test", at=START - 900 * HOUR)
    registered(store, "rec-1", site="site-1")
    keep(store, chain("rec-1", Aspect.REACH, (-5, OK)))
    # Missing from 05:00 to 08:00 of the second day: one hour of it in force.
    record(store, recording("a", -24, 760, gap(29, 32)))
    (row,) = (row for row in rows(desk(store).make(OCTOBER, texts("en")), "devices"))
    assert row["recording"] == (31 * 15 - 1) / (31 * 15)
