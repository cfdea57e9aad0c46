"""Tests of single points of failure and of what-if, against losing each thing in turn."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from camera_registry.model.coverage import Point, PointKind, Sight
from camera_registry.model.device import Device, Kind
from camera_registry.model.place import Site, View
from camera_registry.rules.coverage.points import Topology, singles, weakest, without
from camera_registry.rules.coverage.standing import ChannelSeen, SiteSeen, stand

NOW = datetime(2026, 10, 1, tzinfo=UTC)


def device(id: str, parent: str = "", backup: str = "", power: str = "", pole: str = "") -> Device:
    return Device(id, Kind.CAMERA, parent=parent, backup_parent=backup, power_source=power, pole=pole)


def by_id(*devices: Device) -> dict[str, Device]:
    return {one.id: one for one in devices}


def site(views: dict[str, tuple[str, ...]], unusable: frozenset[str] = frozenset()) -> SiteSeen:
    """Each channel is named for its device."""
    made = [View(id, "gate", channels=channels) for id, channels in views.items()]

    def look(channel: str) -> ChannelSeen:
        return ChannelSeen(channel, channel, Sight.UNUSABLE if channel in unusable else Sight.USABLE)

    return stand(Site("gate"), made, look, ZoneInfo("UTC"), NOW)


def points(seen: SiteSeen, devices: dict[str, Device]) -> dict[str, bool]:
    return {one.point.id: one.whole for one in singles(seen, Topology(devices))}


def test_one_camera_is_the_only_eye_and_its_switch_and_uplink_are_points_too():
    devices = by_id(device("core"), device("sw", "core"), device("cam-1", "sw"))
    assert points(site({"N": ("cam-1",)}), devices) == {"cam-1": True, "core": True, "sw": True}


def test_two_cameras_behind_different_switches_share_only_what_both_hang_on():
    devices = by_id(device("core"), device("sw-1", "core"), device("sw-2", "core"), device("a", "sw-1"))
    devices["b"] = device("b", "sw-2")
    assert points(site({"N": ("a", "b")}), devices) == {"core": True}


def test_a_backup_parent_takes_the_point_away_unless_both_hang_on_one_switch_higher_up():
    devices = by_id(device("top"), device("x", "top"), device("y", "top"), device("cam", "x", "y"))
    assert points(site({"N": ("cam",)}), devices) == {"cam": True, "top": True}
    devices["y"] = device("y")
    assert points(site({"N": ("cam",)}), devices) == {"cam": True}


def test_two_parents_fed_from_one_cabinet_share_it():
    devices = by_id(device("x", power="feeder 7"), device("y", power="feeder 7"), device("cam", "x", "y"))
    assert points(site({"N": ("cam",)}), devices) == {"cam": True, "feeder 7": True}


def test_a_way_of_feeding_is_a_source_only_at_one_pole():
    devices = by_id(device("a", power="mains", pole="P1"), device("b", power="mains", pole="P2"))
    assert points(site({"N": ("a", "b")}), devices) == {}
    devices["b"] = device("b", power="mains", pole="P1")
    assert points(site({"N": ("a", "b")}), devices) == {"P1: mains": True}


def test_a_supply_that_is_a_device_feeds_on_when_its_own_network_is_lost():
    devices = by_id(device("sw", power="ups"), device("ups", "sw"), device("cam", "sw"))
    assert points(site({"N": ("cam",)}), devices) == {"cam": True, "sw": True, "ups": True}
    assert not Topology(devices).lost([Point(PointKind.DEVICE, "cam")])("sw")


def test_what_covers_nothing_now_is_no_point():
    assert points(site({"N": ("a", "b")}, frozenset({"b"})), by_id(device("a"), device("b"))) == {"a": True}


def test_a_ring_that_slipped_in_ends_the_walk():
    devices = by_id(device("x", "y"), device("y", "x"), device("cam", "x"))
    assert points(site({"N": ("cam",)}), devices)["cam"]


def test_retiring_devices_tells_which_views_are_lost_and_which_become_single():
    devices = by_id(device("sw"), device("a", "sw"), device("b"), device("c"))
    seen = site({"N": ("a",), "S": ("a", "b"), "W": ("b", "c")})
    (loss,) = without([seen], Topology(devices), [Point(PointKind.DEVICE, "sw")])
    assert (loss.lost, loss.single, loss.dark) == (("N",), ("S",), False)
    both = [Point(PointKind.DEVICE, id) for id in ("sw", "b", "c")]
    assert without([seen], Topology(devices), both)[0].dark


NAMES = [f"d{number}" for number in range(8)]
POWER = ["", "p1", "p2", "d0", "d1"]


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Device]:
    """A network without rings: parents have lower numbers."""
    made = {}
    for number, name in enumerate(NAMES):
        above = st.sampled_from(["", *NAMES[:number]])
        parent = draw(above)
        backup = draw(above) if parent else ""
        made[name] = device(name, parent, backup if backup != parent else "", draw(st.sampled_from(POWER)))
    return made


def lost_with(gone: str, devices: dict[str, Device]) -> set[str]:
    """Lose one thing, and look again and again until nothing more is lost."""
    unfed = {gone}
    while more := {id for id, one in devices.items() if one.power_source in unfed and id not in unfed}:
        unfed |= more
    lost = unfed & set(devices)
    while more := {id for id, one in devices.items() if id not in lost and one.parents and set(one.parents) <= lost}:
        lost |= more
    return lost


@settings(max_examples=200, deadline=None)
@given(networks(), st.dictionaries(st.sampled_from("NSW"), st.sets(st.sampled_from(NAMES), min_size=1), min_size=1))
def test_points_are_those_whose_loss_uncovers_something(devices, views):
    seen = site({id: tuple(sorted(shown)) for id, shown in views.items()})
    expected = {}
    for gone in [*NAMES, "p1", "p2"]:
        lost = lost_with(gone, devices)
        uncovered = [id for id, shown in views.items() if shown <= lost]
        if uncovered:
            expected[gone] = len(uncovered) == len(views)
    assert points(seen, devices) == expected


def test_points_of_the_same_effect_stand_together_and_the_one_that_darkens_most_sites_comes_first():
    """Switch a feeds the cameras of the gate and of the pier; the gate's camera is alone on its mast's power."""
    devices = by_id(device("a"), device("cam-1", "a", power="mast 7"), device("cam-2", "a"))
    topology = Topology(devices)
    gate, pier = site({"N": ("cam-1",)}), site({"W": ("cam-2",)})
    found = weakest({"gate": singles(gate, topology), "pier": singles(pier, topology)})
    told = [([point.id for point in one.points], one.sites, len(one.views), len(one.dark)) for one in found]
    assert told == [
        (["a"], ["gate", "pier"], 2, 2),
        (["cam-1", "mast 7"], ["gate"], 1, 1),
        (["cam-2"], ["pier"], 1, 1),
    ]
