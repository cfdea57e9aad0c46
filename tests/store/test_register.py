"""What people may edit in the register, and what is kept of it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from camera_registry.model.device import Channel, Device, Kind, Life, TrafficKind
from camera_registry.model.health import Aspect, AspectState, Subject
from camera_registry.model.people import Contractor, Crew
from camera_registry.model.place import Area, Site, SiteCategory, View
from camera_registry.model.register import KINDS, Register
from camera_registry.store import Outdated, Refused, Store, audit, health, register
from camera_registry.store.tables import ITEMS

AT = datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC)

CITY = (
    Area("city", "高原市", level="city"),
    Area("east", "东区", parent="city"),
    Area("east-1", "一社区", parent="east"),
    Area("west", "西区", parent="city"),
)
FULL = Device(
    id="cam-1",
    kind=Kind.TRAFFIC_UNIT,
    name="北门卡口",
    host="10.0.0.1",
    life=Life.SUSPENDED,
    traffic_kind=TrafficKind.CHECKPOINT,
    national_code="54010200001320000001",
    area="east-1",
    site="gate",
    parent="sw-1",
    probes=("tcp", "onvif"),
    interval=20.5,
    longitude=91.117212,
    latitude=29.646923,
    azimuth=0.1,
    contractor="firm",
    contract_end=date(2027, 12, 31),
    tags=("重点", "夜间"),
    note="a\nb",
)
EVERYTHING = (
    *CITY,
    Contractor("firm", "维保公司"),
    Crew("crew-1", "一班", contractor="firm", area="east"),
    Site("gate", "北门", SiteCategory.STATION_PORT, "east-1", 91.1, 29.6, required_availability=0.98, interval=20.0),
    Device("sw-1", Kind.NETWORK, area="east"),
    FULL,
    Channel("cam-1/1", "cam-1"),
    View("gate/out", "gate", "朝外", ("cam-1/1",)),
)


def put(store: Store, *items: object, removed: tuple[tuple[str, str], ...] = (), at: datetime = AT) -> int:
    return store.write_now(register.apply, items, removed, author="ann", at=at)  # type: ignore[arg-type]


def test_every_kind_of_item_comes_back_as_it_was_given(store: Store) -> None:
    assert put(store, *EVERYTHING) == len(EVERYTHING)
    assert store.read_now(register.load_register) == Register(
        areas={item.id: item for item in CITY},
        sites={"gate": EVERYTHING[6]},
        views={"gate/out": EVERYTHING[10]},
        devices={"sw-1": EVERYTHING[7], "cam-1": FULL},
        channels={"cam-1/1": EVERYTHING[9]},
        contractors={"firm": EVERYTHING[4]},
        crews={"crew-1": EVERYTHING[5]},
    )


def test_who_reads_the_register_again_gets_the_same_items_but_for_those_that_were_edited(store: Store) -> None:
    reader = register.Reader()
    put(store, *EVERYTHING)
    before = store.read_now(reader.load)
    put(store, Area("city", "another name"))
    put(store, removed=(("view", "gate/out"), ("device", "cam-1")))
    put(store, Device("cam-1", Kind.CAMERA, host="10.9.9.9"), at=AT + timedelta(seconds=1))
    after = store.read_now(reader.load)

    assert after == store.read_now(register.load_register)
    assert after.areas["city"].name == "another name"
    assert after.devices["cam-1"].host == "10.9.9.9"
    assert after.devices["sw-1"] is before.devices["sw-1"]
    assert store.read_now(reader.load).devices["cam-1"] is after.devices["cam-1"]


def test_a_table_has_exactly_the_fields_of_its_item() -> None:
    for kind, cls in KINDS.items():
        assert [column.name for column in ITEMS[kind].columns] == [
            *(field.name for field in fields(cls)),
            "version",
            "changed_at",
        ]


def test_the_same_items_again_change_nothing(store: Store) -> None:
    put(store, *EVERYTHING)
    before = store.read_now(register.version)
    assert put(store, *EVERYTHING) == 0
    assert store.read_now(register.version) == before


def test_a_change_keeps_who_when_and_only_what_differs(store: Store) -> None:
    put(store, *CITY, Device("cam-1", Kind.CAMERA, "old", "10.0.0.1"))
    later = AT + timedelta(hours=1)
    put(store, Device("cam-1", Kind.CAMERA, "new", "10.0.0.1", Life.RETIRED), at=later)
    newest, first = (kept.change for kept in store.read_now(register.changes_of, "device", "cam-1"))
    assert (newest.before, newest.after) == ({"name": "old", "life": "active"}, {"name": "new", "life": "retired"})
    assert (newest.author, newest.at) == ("ann", later)
    assert first.before is None
    assert first.after == {"id": "cam-1", "kind": "camera", "name": "old", "host": "10.0.0.1"}


def test_changes_of_a_removed_device_stay(store: Store) -> None:
    put(store, Device("cam-1", Kind.CAMERA), Channel("cam-1/1", "cam-1"))
    assert put(store, removed=(("device", "cam-1"),)) == 2
    assert store.read_now(register.get, "channel", "cam-1/1") is None
    assert store.read_now(register.changes_of, "device", "cam-1")[0].change.after is None


def test_a_removed_device_takes_its_states_along(store: Store) -> None:
    put(store, Device("cam-1", Kind.CAMERA))
    store.write_now(health.save, [AspectState(Subject("cam-1", Aspect.REACH))])
    put(store, removed=(("device", "cam-1"),))
    assert store.read_now(health.load_states) == []


def test_each_edit_moves_the_version_of_the_item_and_of_the_register(store: Store) -> None:
    put(store, Area("city"))
    first = store.read_now(register.version)
    put(store, Area("city", "高原市"))
    stored = store.read_now(register.get, "area", "city")
    assert stored is not None
    assert stored.version == 2
    assert store.read_now(register.version) > first


def test_an_edit_made_from_an_old_version_is_refused_and_writes_nothing(store: Store) -> None:
    put(store, Area("city"))
    put(store, Area("city", "one"))
    with pytest.raises(Outdated, match="read it again"):
        store.write_now(register.apply, [Area("city", "two")], author="bob", at=AT, expected={("area", "city"): 1})
    with pytest.raises(Outdated, match="read it again"):
        store.write_now(register.apply, [Area("city", "two")], author="bob", at=AT, expected={("area", "city"): 0})
    stored = store.read_now(register.get, "area", "city")
    assert stored is not None
    assert stored.item == Area("city", "one")


def test_a_dangling_reference_is_refused_by_name(store: Store) -> None:
    with pytest.raises(Refused) as refused:
        put(store, Device("cam-1", Kind.CAMERA, area="nowhere", parent="sw-9"), View("v", "s", channels=("c-9",)))
    assert len(refused.value.problems) == 4
    assert "device cam-1: area 'nowhere' is not registered" in str(refused.value.problems[0])
    assert store.read_now(register.load_register) == Register()


def test_what_is_still_used_is_not_removed(store: Store) -> None:
    put(store, *EVERYTHING)
    with pytest.raises(Refused, match="area east-1 is still used by device cam-1"):
        put(store, removed=(("area", "east-1"),))
    with pytest.raises(Refused, match="channel cam-1/1 is still used by view gate/out"):
        put(store, removed=(("device", "cam-1"),))
    assert put(store, replace(FULL, area="east", site=""), removed=(("view", "gate/out"), ("site", "gate"))) == 3


def test_a_ring_of_parents_is_refused_with_its_chain(store: Store) -> None:
    put(store, *CITY)
    with pytest.raises(Refused, match="city > east-1 > east > city"):
        put(store, Area("city", parent="east-1"))
    with pytest.raises(Refused, match="a > a"):
        put(store, Device("a", Kind.NETWORK, parent="a"))


def test_pages_are_filtered_by_text_and_area_with_its_subtree(store: Store) -> None:
    put(store, *EVERYTHING, Device("cam_2", Kind.CAMERA, "南门", "10.0.0.2", area="west"))

    def ids(**filters: object) -> list[str]:
        return [stored.item.id for stored in store.read_now(register.page, "device", **filters)]  # type: ignore[arg-type]

    assert ids() == ["cam-1", "cam_2", "sw-1"]
    assert ids(area="east") == ["cam-1", "sw-1"]
    assert ids(area="city") == ["cam-1", "cam_2", "sw-1"]
    assert ids(q="北门") == ["cam-1"]
    assert ids(q="CAM_") == ["cam_2"]
    assert ids(q="0000132") == ["cam-1"]
    assert ids(after="cam-1", limit=1) == ["cam_2"]


def test_edits_leave_rows_in_the_audit_trail_and_refused_edits_leave_none(store: Store) -> None:
    put(store, Area("city"))
    with pytest.raises(Refused):
        put(store, Area("east", parent="nowhere"))
    (row,) = store.read_now(audit.trail)
    assert (row.actor, row.action, row.about) == ("ann", "register.create", "area/city")
    assert store.read_now(audit.verify).broken is None
