"""How often devices are asked, and what that takes."""

from dataclasses import replace

import pytest

from camera_registry.model.device import Channel, Device, Kind
from camera_registry.model.place import Site, SiteCategory, View
from camera_registry.model.policy import Intervals
from camera_registry.model.register import Register
from camera_registry.model.roster import Entry
from camera_registry.rules.capacity import need
from camera_registry.rules.pace import Urgency, for_sites, interval
from camera_registry.rules.plan import plan
from camera_registry.rules.schedule import Agenda
from camera_registry.settings import Settings

POLICY = Settings().probes.policy()
CAMERA = Device("cam-7", Kind.CAMERA, host="192.0.2.7", parent="sw-1")
REGISTER = Register(
    sites={one.id: one for one in (Site("gate", category=SiteCategory.CHECKPOINT), Site("shop"))},
    views={
        one.id: one
        for one in (
            View("gate/in", "gate", channels=("c-7", "n-1", "gone")),
            View("shop/door", "shop", channels=("c-8", "c-7")),
            View("nowhere/x", "nowhere", channels=("c-9",)),
        )
    },
    devices={
        one.id: one
        for one in (
            CAMERA,
            Device("cam-8", Kind.CAMERA, parent="sw-1"),
            Device("cam-9", Kind.CAMERA, parent="sw-2"),
            Device("nvr", Kind.RECORDER, parent="sw-1", backup_parent="sw-3"),
            Device("sw-1", Kind.NETWORK, parent="uplink"),
            Device("sw-3", Kind.NETWORK),
            Device("uplink", Kind.NETWORK),
        )
    },
    channels={
        one.id: one
        for one in (Channel("c-7", "cam-7"), Channel("c-8", "cam-8"), Channel("c-9", "cam-9"), Channel("n-1", "nvr"))
    },
)
CHECKPOINTS = Intervals(by_site_category={SiteCategory.CHECKPOINT: 20.0})


def test_what_shows_a_key_site_and_all_that_it_stands_behind_is_asked_at_the_sites_interval() -> None:
    assert for_sites(REGISTER, CHECKPOINTS) == dict.fromkeys(("cam-7", "nvr", "sw-1", "sw-3", "uplink"), 20.0)
    assert for_sites(REGISTER, Intervals()) == {}


def test_a_sites_own_interval_goes_before_its_categorys_and_the_site_that_wants_it_most_often_counts() -> None:
    slower = replace(CHECKPOINTS, by_site={"gate": 40.0, "shop": 30.0})
    wanted = for_sites(REGISTER, slower)
    assert (wanted["nvr"], wanted["cam-7"], wanted["cam-8"], wanted["sw-3"]) == (40.0, 30.0, 30.0, 40.0)


def test_what_the_register_says_of_a_site_goes_before_what_settings_say_of_it() -> None:
    sites = REGISTER.sites | {"gate": replace(REGISTER.sites["gate"], interval=15.0)}
    settled = replace(CHECKPOINTS, by_site={"gate": 40.0, "shop": 30.0})
    wanted = for_sites(replace(REGISTER, sites=sites), settled)
    assert (wanted["nvr"], wanted["cam-7"], wanted["cam-8"], wanted["uplink"]) == (15.0, 15.0, 30.0, 15.0)
    assert for_sites(replace(REGISTER, sites=sites), Intervals())["cam-7"] == 15.0, "with no settings at all"


@pytest.mark.parametrize(
    ("device", "by_kind", "wanted", "found"),
    [
        (CAMERA, {}, None, 60.0),
        (CAMERA, {Kind.NETWORK: 10.0}, None, 60.0),
        (CAMERA, {Kind.CAMERA: 45.0}, None, 45.0),
        (CAMERA, {Kind.CAMERA: 45.0}, 20.0, 20.0),
        (CAMERA, {Kind.CAMERA: 45.0}, 90.0, 45.0),
        (replace(CAMERA, interval=120), {Kind.CAMERA: 45.0}, 20.0, 120.0),
        (CAMERA, {}, 1.0, 8.8),
    ],
    ids=["probe", "other kind", "kind", "site", "a site slows nobody down", "device", "time to answer"],
)
def test_the_device_goes_before_its_sites_these_before_its_kind_and_that_before_the_probe(
    device: Device, by_kind: dict[Kind, float], wanted: float | None, found: float
) -> None:
    policy = replace(POLICY, intervals=Intervals(by_kind))
    assert interval(device, "onvif", policy, Urgency(wanted)) == pytest.approx(found)


def test_pictures_recordings_and_certificates_are_asked_for_no_more_often_for_a_site() -> None:
    policy = replace(POLICY, intervals=Intervals({Kind.CAMERA: 45.0}))
    for probe in ("snapshot", "key_frame", "recording", "tls"):
        assert interval(CAMERA, probe, policy, Urgency(20.0)) == POLICY.paces[probe].interval


def _entry(wanted: float | None) -> Entry:
    entry = plan(CAMERA, (), POLICY, {}, [("onvif", ""), ("rtsp", "")], urgency=Urgency(wanted))
    assert entry is not None
    return entry


def test_what_a_key_site_takes_is_in_the_slots_that_are_needed() -> None:
    usual, often = need([_entry(None)] * 100), need([_entry(20.0)] * 100)
    assert often.worst - usual.worst == pytest.approx(2 * 8 * 100 * (1 / 20 - 1 / 60), abs=1)


def test_a_fleet_that_becomes_a_key_site_is_asked_in_turn_and_at_the_same_times_after_a_restart() -> None:
    def fleet(wanted: float | None) -> list[Entry]:
        return [
            replace(entry, target=replace(entry.target, device=f"cam-{number}"))
            for number, entry in enumerate([_entry(wanted)] * 300)
        ]

    agenda, anew = Agenda(), Agenda()
    for entry in fleet(None):
        agenda.put(entry, 1000.0)
    for entry in fleet(20.0):
        agenda.put(entry, 1010.0)
        anew.put(entry, 1010.0)
    rounds, same = _asked(agenda, 1010, 1030), _asked(anew, 1010, 1030)
    assert rounds == same
    assert max(len(keys) for keys in rounds) < 3 * 600 / 20, "no storm"
    assert len({key for keys in rounds for key in keys}) == 600


def _asked(agenda: Agenda, begin: int, end: int) -> list[set[tuple[str, str, str]]]:
    """What is asked in each second, but for pictures."""
    seconds: list[set[tuple[str, str, str]]] = []
    for second in range(begin, end + 1):
        seconds.append(set())
        while (due := agenda.pop(second)) is not None:
            agenda.done(due.key)
            if due.key[1] != "snapshot":
                seconds[-1].add(due.key)
    return seconds
