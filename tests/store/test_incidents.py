"""Incidents, their time lines and maintenance windows come back from either database as they were."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from camera_registry.model.health import Aspect, Cause, Subject
from camera_registry.model.incident import (
    Acknowledgement,
    Affected,
    Called,
    Incident,
    IncidentChange,
    Party,
    Scope,
    Severity,
    Span,
    Step,
)
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.model.place import Area
from camera_registry.store import Store, audit, incidents, register, windows
from camera_registry.store.incidents import Wanted
from camera_registry.store.sorting import Sorting

NOON = datetime(2026, 10, 1, 4, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def incident(id: int, about: str = "cam-1", **values: object) -> Incident:
    made = Incident(
        id, Scope.DEVICE, about, Cause.TIMEOUT, Severity.P2, NOON, NOON + MINUTE, NOON + 2 * MINUTE, area="east"
    )
    return replace(made, **values)  # type: ignore[arg-type]


FULL = incident(
    1,
    detail="no answer\x00",
    flapping=True,
    symptoms=(Subject("cam-1", Aspect.REACH), Subject("cam-1", Aspect.STREAM, "cam-1/1")),
    causes=(Called(Cause.UNREACHABLE, NOON), Called(Cause.TIMEOUT, NOON + MINUTE)),
    spans=(Span(Party.DEVICE, NOON), Span(Party.PARENT, NOON + MINUTE)),
    parent=7,
    window=3,
    affected=4,
    acknowledged=Acknowledgement("李", NOON, NOON + MINUTE, sticky=False, note="去看看"),
    assignee="crew-1",
    version=5,
)


def test_an_incident_comes_back_whole(store: Store) -> None:
    store.write_now(incidents.save, [FULL])
    kept = store.read_now(incidents.get, 1)
    assert kept == replace(FULL, detail="no answer\N{REPLACEMENT CHARACTER}")
    assert store.read_now(incidents.load_open) == [kept]
    assert store.read_now(incidents.newest) == 1


def test_an_incident_is_overwritten_and_its_time_line_grows(store: Store) -> None:
    opened = incident(1)
    store.write_now(incidents.save, [opened], [IncidentChange(Step.OPENED, NOON, opened, text="no answer")])
    ended = replace(opened, ended=NOON + 5 * MINUTE, version=2)
    store.write_now(incidents.save, [ended], [IncidentChange(Step.RESOLVED, NOON + 5 * MINUTE, ended)])
    assert store.read_now(incidents.load_open) == []
    line = store.read_now(incidents.time_line, 1)
    assert [(one.step, one.at, one.text) for one in line] == [
        (Step.OPENED, NOON, "no answer"),
        (Step.RESOLVED, NOON + 5 * MINUTE, ""),
    ]


def test_devices_behind_an_incident_come_and_go(store: Store) -> None:
    lost = Affected(1, "cam-2", NOON)
    store.write_now(incidents.save, [incident(1)], (), [lost, Affected(1, "cam-3", NOON)])
    store.write_now(
        incidents.save, (), (), [replace(lost, until=NOON + MINUTE), replace(lost, since=NOON + 2 * MINUTE)]
    )
    assert [(one.device, one.until) for one in store.read_now(incidents.affected, 1)] == [
        ("cam-2", NOON + MINUTE),
        ("cam-3", None),
        ("cam-2", None),
    ]
    assert {one.device for one in store.read_now(incidents.load_affected)} == {"cam-2", "cam-3"}


def test_incidents_are_found_by_what_people_ask_for(store: Store) -> None:
    areas = [Area("city"), Area("east", parent="city"), Area("west", parent="city")]
    store.write_now(register.apply, areas, author="test", at=NOON)
    rows = [
        incident(1, ended=NOON + 10 * MINUTE),
        incident(2, "cam-2", cause=Cause.AUTH, severity=Severity.P3, area="west"),
        incident(3, "sw-1", severity=Severity.P1, started=NOON + 20 * MINUTE),
        incident(4, "cam-4", parent=3),
    ]
    store.write_now(incidents.save, rows, (), [Affected(3, "cam-9", NOON)])

    def found(**wanted: object) -> list[int]:
        return [one.id for one in store.read_now(incidents.page, Wanted(**wanted))]  # type: ignore[arg-type]

    assert found() == [4, 3, 2, 1]
    assert found(open=True) == [4, 3, 2]
    assert found(open=False) == [1]
    assert found(area="city") == [4, 3, 2, 1]
    assert found(area="west") == [2]
    assert found(device="cam-9") == [3]
    assert found(device="sw-1") == [3]
    assert found(cause=Cause.AUTH) == [2]
    assert found(severity=Severity.P1) == [3]
    assert found(parent=3) == [4]
    assert found(open=True, roots=True) == [3, 2]
    assert found(since=NOON + 11 * MINUTE) == [4, 3, 2]
    assert found(until=NOON + 20 * MINUTE) == [4, 2, 1]
    assert [one.id for one in store.read_now(incidents.page, Wanted(), before_id=3, limit=1)] == [2]


def test_the_worst_incidents_come_first_and_of_these_the_oldest_on_every_page(store: Store) -> None:
    rows = [
        incident(1, severity=Severity.P2, started=NOON),
        incident(2, severity=Severity.P1, started=NOON + 2 * MINUTE),
        incident(3, severity=Severity.P3, started=NOON - 9 * MINUTE),
        incident(4, severity=Severity.P1, started=NOON + MINUTE),
        incident(5, severity=Severity.P2, started=NOON),
    ]
    store.write_now(incidents.save, rows)
    seen: list[int] = []
    while found := store.read_now(
        incidents.page, Wanted(), sorting=Sorting.WORST, before_id=seen[-1] if seen else None, limit=2
    ):
        seen += [one.id for one in found]
    assert seen == [4, 2, 1, 5, 3]


WINDOW = Window(
    0,
    WindowKind.RECURRING,
    Cover(("cam-1",), ("bus",), ("east",), ("sw-1",)),
    NOON,
    None,
    "清洗镜头",
    "li",
    NOON - MINUTE,
    timedelta(hours=2),
    "0 2 * * 0",
    "Asia/Shanghai",
)


def test_a_window_comes_back_with_its_number_and_moves_the_register_on(store: Store) -> None:
    before = store.read_now(register.version)
    kept = store.write_now(windows.create, WINDOW)
    assert kept == replace(WINDOW, id=kept.id)
    assert store.read_now(windows.load, NOON) == [kept]
    assert store.read_now(register.version) > before
    (record,) = store.read_now(audit.trail, about=f"window/{kept.id}")
    assert (record.actor, record.action) == ("li", "window.create")


def test_a_cancelled_window_stays_to_be_read_and_is_not_loaded_again(store: Store) -> None:
    kept = store.write_now(windows.create, WINDOW)
    cancelled = store.write_now(windows.cancel, kept.id, author="wang", at=NOON)
    assert cancelled == replace(kept, cancelled_at=NOON, cancelled_by="wang")
    assert store.write_now(windows.cancel, kept.id, author="li", at=NOON + MINUTE) == cancelled
    assert store.write_now(windows.cancel, 99, author="li", at=NOON) is None
    assert store.read_now(windows.load, NOON + MINUTE) == []
    assert store.read_now(windows.page) == [cancelled]


def test_windows_that_are_over_are_not_loaded(store: Store) -> None:
    fixed = replace(WINDOW, kind=WindowKind.FIXED, ends=NOON + MINUTE, lasts=timedelta())
    flexible = replace(fixed, kind=WindowKind.FLEXIBLE, lasts=2 * MINUTE)
    for one in (fixed, flexible):
        store.write_now(windows.create, one)
    (kept,) = store.read_now(windows.load, NOON + 2 * MINUTE)
    assert kept.kind is WindowKind.FLEXIBLE
    store.write_now(windows.set_off, kept.id, NOON + MINUTE)
    store.write_now(windows.set_off, kept.id, NOON + 2 * MINUTE)
    found = store.read_now(windows.get, kept.id)
    assert found is not None
    assert found.began == NOON + MINUTE
