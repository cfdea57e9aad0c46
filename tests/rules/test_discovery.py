"""What a search means to the register: a table of sightings and what is proposed because of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from camera_registry.model.device import Device, Kind
from camera_registry.model.discovery import Findings, Proposal, ProposalKind, Sighting
from camera_registry.model.register import Register
from camera_registry.rules import acceptance
from camera_registry.rules.discovery import find
from camera_registry.rules.inventory import files
from camera_registry.rules.inventory.examine import examine

NOW = datetime(2026, 11, 26, tzinfo=UTC)
GATE = Device(
    "cam-gate",
    Kind.CAMERA,
    "East gate",
    "10.20.0.7",
    manufacturer="Haitun",
    model="HT-2CD2T47",
    serial="HA8FC16E2284",
    firmware="V5.7.13",
    mac="02:5e:00:00:00:09",
)
BARE = Device("cam-bare", Kind.CAMERA, "West gate", "10.20.0.8")
NAMED = Device("cam-named", Kind.CAMERA, host="pole-12.cameras.example", serial="NM00112233")
REGISTER = Register(devices={device.id: device for device in (GATE, BARE, NAMED)})


def seen(address: str = "10.20.0.50", **said: object) -> Sighting:
    return replace(Sighting(address, NOW, ports=(80,), onvif_port=80, http_port=80), **said)  # type: ignore[arg-type]


def proposed(*sightings: Sighting, register: Register = REGISTER, **more: object) -> list[tuple[str, str]]:
    found = find(sightings, register, **more)  # type: ignore[arg-type]
    return [(one.kind.value, one.device) for one in found.proposals]


@pytest.mark.parametrize(
    ("sighting", "expected"),
    [
        # As registered: nothing speaks against it.
        (seen("10.20.0.7"), []),
        (seen("10.20.0.7", serial="ha8fc16e 2284"), []),
        (seen("10.20.0.7", serial="HA8FC16E2284", mac="02:5e:00:00:00:99"), []),
        (seen("10.20.0.7", mac="02:5e:00:00:00:09", hardware="something else"), []),
        (seen("10.20.0.7", hardware="HT2CD2T47-A"), []),
        (seen("10.20.0.7", serial="0000000000"), []),
        (seen("10.20.0.8", serial="HB0000001", hardware="whatever"), []),
        # Another unit stands there.
        (seen("10.20.0.7", serial="HB99999999"), [("replaced", "cam-gate")]),
        (seen("10.20.0.7", mac="02:5e:00:00:00:99"), [("replaced", "cam-gate")]),
        (seen("10.20.0.7", hardware="DS-IPC-HFW5442"), [("replaced", "cam-gate")]),
        (seen("10.20.0.7", serial="HB99999999", mac="02:5e:00:00:00:09"), [("replaced", "cam-gate")]),
        # The unit stands elsewhere.
        (seen(serial="HA8FC16E2284"), [("moved", "cam-gate")]),
        (seen(mac="02:5e:00:00:00:09"), [("moved", "cam-gate")]),
        (seen(endpoint="c9790c3a-701b-464d-a189-025e00000009"), [("moved", "cam-gate")]),
        (seen(name="CAM-GATE"), [("moved", "cam-gate")]),
        (seen(name="East gate", hardware="HT-2CD2T47"), [("moved", "cam-gate")]),
        (seen("10.20.0.8", serial="HA8FC16E2284"), [("moved", "cam-gate")]),
        # What only looks like it does not.
        (seen(name="East gate", hardware="DS-IPC-HFW5442"), [("new", "")]),
        (seen(mac="02:5e:00:00:00:09", serial="HB99999999"), [("new", "")]),
        (seen(hardware="HT-2CD2T47"), [("new", "")]),
        # Nobody knows it.
        (seen(), [("new", "")]),
        (seen(onvif_port=0, rtsp_port=554), [("new", "")]),
        (seen(onvif_port=0, endpoint="c9790c3a-701b-464d-a189-0060351c8ada"), [("new", "")]),
        (seen(onvif_port=0, server="nginx"), []),
    ],
)
def test_each_sighting_means_one_thing(sighting: Sighting, expected: list[tuple[str, str]]) -> None:
    assert proposed(sighting) == expected


def test_what_is_as_registered_is_only_counted() -> None:
    found = find([seen("10.20.0.7"), seen("10.20.0.8"), seen(onvif_port=0)], REGISTER)
    assert found == Findings((), {"10.20.0.7": "cam-gate", "10.20.0.8": "cam-bare"}, 1)


def test_a_serial_that_several_units_claim_recognises_none() -> None:
    clones = [seen(f"10.20.1.{number}", serial="HA8FC16E2284", mac=f"02:00:00:00:00:0{number}") for number in (1, 2)]
    assert proposed(*clones) == [("new", "")]


def test_a_mac_that_a_router_gives_for_others_recognises_none() -> None:
    behind = [seen(f"10.20.1.{number}", mac="02:5e:00:00:00:09", serial=f"S{number}00000") for number in (1, 2, 3)]
    assert proposed(*behind) == [("new", "")] * 3


def test_a_name_that_many_have_recognises_nobody() -> None:
    """Units leave the factory with the same name; one that is registered under it must not hide the others."""
    at_home, other, third = seen("10.20.0.7"), seen(name="East gate"), seen("10.20.0.51", name="East gate")
    assert proposed(at_home, other) == [("new", "")]
    assert proposed(other, third) == [("new", ""), ("new", "")]
    assert proposed(other) == [("moved", "cam-gate")]


def test_a_unit_whose_name_is_its_serial_is_recognised_by_it() -> None:
    told = {"serial": GATE.serial, "name": GATE.serial, "mac": GATE.mac}
    assert proposed(seen(**told)) == [("moved", "cam-gate")]


def test_two_units_that_changed_places_have_both_moved() -> None:
    other = replace(BARE, serial="HB11111111")
    register = Register(devices={"cam-gate": GATE, "cam-bare": other})
    found = find([seen("10.20.0.8", serial=GATE.serial), seen("10.20.0.7", serial=other.serial)], register)
    assert {(one.kind, one.device, one.address) for one in found.proposals} == {
        (ProposalKind.MOVED, "cam-gate", "10.20.0.8"),
        (ProposalKind.MOVED, "cam-bare", "10.20.0.7"),
    }
    there = {one.device: one.evidence["registered_there"] for one in found.proposals}
    assert there == {"cam-gate": ["cam-bare"], "cam-bare": ["cam-gate"]}


def test_who_answered_first_makes_no_difference() -> None:
    twice = [
        seen(f"10.20.1.{number}", endpoint="c9790c3a-701b-464d-a189-025e00000009", mac=GATE.mac) for number in (1, 2)
    ]
    assert find(twice, REGISTER) == find(twice[::-1], REGISTER)


def test_a_unit_with_two_addresses_has_not_moved() -> None:
    twice = [seen(address, serial="HA8FC16E2284", mac="02:5e:00:00:00:09") for address in ("10.20.0.7", "10.20.3.3")]
    assert proposed(*twice) == []


def test_a_device_registered_by_its_host_name_is_where_the_name_leads() -> None:
    names = {"pole-12.cameras.example": ["10.20.0.50"]}
    assert proposed(seen(), addresses=names) == []
    assert proposed(seen(serial="NM00112233"), addresses=names) == []
    assert proposed(seen("10.20.0.51", serial="NM00112233"), addresses=names) == [("moved", "cam-named")]


def test_a_unit_that_was_accepted_is_known_again_by_its_endpoint() -> None:
    endpoint = "0aaa0f71-aab4-5474-b36c-3bf4c0395ee2"
    assert proposed(seen(endpoint=endpoint), endpoints={endpoint: "cam-bare"}) == [("moved", "cam-bare")]


def test_a_device_that_shares_its_address_is_not_called_replaced() -> None:
    second = replace(GATE, id="cam-second", serial="HC", mac="", onvif_port=8001)
    register = Register(devices={"cam-gate": GATE, "cam-second": second})
    assert proposed(seen("10.20.0.7", serial="HB99999999"), register=register) == []


def test_a_proposal_is_the_same_from_one_search_to_the_next_until_there_is_other_evidence() -> None:
    (first,) = find([seen(serial="HB1234567A")], REGISTER).proposals
    (again,) = find([replace(seen("10.20.9.9", serial="HB1234567A"), at=NOW.replace(year=2027))], REGISTER).proposals
    assert (first.key, first.fingerprint) == (again.key, again.fingerprint)
    (other,) = find([seen(serial="HB1234567A", mac="02:00:00:00:00:01")], REGISTER).proposals
    assert first.key == other.key
    assert first.fingerprint != other.fingerprint


def test_ten_thousand_devices_are_compared_in_little_time() -> None:
    devices = {
        f"c{n}": replace(
            GATE, id=f"c{n}", host=f"10.{n // 65536}.{n // 256 % 256}.{n % 256}", serial=f"S{n:08}", mac=""
        )
        for n in range(10_000)
    }
    sightings = [seen(device.host, serial=device.serial) for device in devices.values()]
    found = find(sightings, Register(devices=devices))
    assert (len(found.proposals), len(found.known)) == (0, 10_000)


def accepted(sighting: Sighting, chosen: dict[str, str] | None = None) -> Device:
    """The device file after the proposal was accepted, by the rules of an import."""
    (proposal,) = find([sighting], REGISTER).proposals
    found = examine([acceptance.one_sheet(proposal, chosen)], REGISTER, networks=["10.20.0.0/16"])
    assert found.sound, found.problems
    (item,) = found.items
    assert isinstance(item, Device)
    return item


def test_accepting_a_new_unit_registers_all_that_it_said() -> None:
    made = accepted(
        seen(
            onvif_port=8000, onvif_path="/onvif/x", rtsp_port=8554, http_port=8000, manufacturer="Dashan",
            model="DS-1", serial="DS0001", firmware="2.8", mac="02:00:00:00:00:01", name="枪机 1",
        ),
        {"name": "South gate", "kind": "recorder"},
    )  # fmt: skip
    assert made == Device(
        "DS0001", Kind.RECORDER, "South gate", "10.20.0.50", onvif_port=8000, onvif_path="/onvif/x", rtsp_port=8554,
        http_port=8000, manufacturer="Dashan", model="DS-1", serial="DS0001", firmware="2.8", mac="02:00:00:00:00:01",
    )  # fmt: skip


def test_a_new_unit_speaks_only_what_answered() -> None:
    made = accepted(seen(onvif_port=0, http_port=0, rtsp_port=554))
    assert (made.id, made.onvif_port, made.http_port, made.rtsp_port) == ("10.20.0.50", 0, 0, 554)


def test_accepting_a_new_address_changes_nothing_else() -> None:
    assert accepted(seen(serial=GATE.serial)) == replace(GATE, host="10.20.0.50")
    assert accepted(seen(serial=GATE.serial, onvif_port=8000)) == replace(GATE, host="10.20.0.50", onvif_port=8000)


def test_accepting_another_unit_leaves_nothing_of_the_old_one() -> None:
    made = accepted(seen("10.20.0.7", mac="02:00:00:00:00:77", hardware="DS-9"))
    assert made == replace(GATE, manufacturer="", model="DS-9", serial="", firmware="", mac="02:00:00:00:00:77")


@pytest.mark.parametrize("serial", ["=cmd|' /C calc'!A0", "../../etc", "a b", "x" * 200, "序列号-00017"])
def test_a_hostile_serial_is_written_down_and_never_run(serial: str) -> None:
    made = accepted(seen(serial=serial))
    assert made.serial == serial
    (proposal,) = find([seen(serial=serial)], REGISTER).proposals
    content = files.write_csv(acceptance.sheet([proposal]).rows)
    assert b",=cmd" not in content
    (item,) = examine(files.read(content), REGISTER).items
    assert item == made


def test_all_proposals_are_one_inventory() -> None:
    register = Register(devices={**REGISTER.devices, "cam-bare": replace(BARE, serial="HB00000001")})
    found = find([seen(), seen("10.20.0.51", serial=GATE.serial), seen("10.20.0.8", serial="HB99999999")], register)
    inventory = examine(files.read(files.write_csv(acceptance.sheet(found.proposals).rows)), register)
    assert inventory.sound
    assert (inventory.created, inventory.changed) == (1, 2)


def test_a_unit_that_tells_nothing_of_itself_is_named_by_its_address() -> None:
    named = {
        address: acceptance.suggested_id(Proposal(ProposalKind.NEW, "key", address, ""))
        for address in ("::1", "10.0.0.7")
    }
    assert named == {"::1": "--1", "10.0.0.7": "10.0.0.7"}
