"""Tests that a planned fleet is a city one can believe in, and always the same."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from camera_registry.model.device import Kind, TrafficKind
from camera_registry.model.register import Register, kind_of
from camera_registry.rules.inventory import files
from camera_registry.rules.inventory.examine import examine, own_credential
from camera_registry.simulator.member import RANGE, Ports
from camera_registry.simulator.plan import Fleet, PlanError


def test_the_same_seed_gives_the_same_fleet_and_another_seed_another():
    ports = Ports(1, 2, 3)
    assert Fleet.plan(60, seed=5).inventory_csv(ports) == Fleet.plan(60, seed=5).inventory_csv(ports)
    assert Fleet.plan(60, seed=5).inventory_csv(ports) != Fleet.plan(60, seed=6).inventory_csv(ports)


@pytest.mark.parametrize("devices", [1, 2, 6, 41, 42, 200, 1000])
def test_a_fleet_has_as_many_devices_as_asked_for_each_at_an_address_of_its_own(devices):
    fleet = Fleet.plan(devices)
    assert len(fleet.members) == devices
    assert len({member.id for member in fleet.members}) == devices
    assert len({member.device.host for member in fleet.members}) == devices
    assert len({member.device.serial for member in fleet.members}) == devices
    codes = [member.device.national_code for member in fleet.members if member.device.national_code]
    assert len(codes) == len(set(codes)) > 0
    assert all(len(code) == 20 and code.isdigit() for code in codes)


def test_addresses_stay_inside_the_network_and_away_from_those_of_servers():
    hosts = [ip_address(member.device.host) for member in Fleet.plan(300).members]
    assert all(host not in ip_network("127.0.0.0/16") for host in hosts)
    inside = Fleet.plan(100, network="127.40.0.0/16")
    assert all(ip_address(member.device.host) in ip_network("127.40.0.0/16") for member in inside.members)


def test_a_switch_and_all_beneath_it_share_a_range_of_addresses(fleet):
    for member in fleet.members:
        parent = member.device.parent
        if parent and member.device.kind is not Kind.NETWORK:
            own, above = (int(ip_address(fleet.by_id[id].device.host)) for id in (member.id, parent))
            assert own // RANGE == above // RANGE


def test_every_device_hangs_below_a_switch_and_no_path_upwards_is_a_loop(fleet):
    roots = [member for member in fleet.members if not member.device.parent]
    assert all(member.device.kind is Kind.NETWORK for member in roots)
    assert sorted(id for root in roots for id in fleet.beneath(root.id)) == sorted(fleet.by_id)


def test_a_city_has_units_of_every_kind():
    members = Fleet.plan(200).members
    assert {member.device.kind for member in members} == set(Kind)
    assert {member.device.traffic_kind for member in members} >= set(TrafficKind)
    assert len({member.maker.name for member in members}) == 5


def test_the_inventory_names_nothing_that_it_does_not_hold(fleet):
    rows = list(csv.DictReader(io.StringIO(fleet.inventory_csv(Ports(80, 554, 23)))))
    ids = {record: {row["id"] for row in rows if row["record"] == record} for record in {row["record"] for row in rows}}
    assert ids.keys() == {"area", "site", "view", "device", "channel", "contractor", "crew"}
    assert sum(len(group) for group in ids.values()) == len(rows)
    for column, record in (("area", "area"), ("site", "site"), ("contractor", "contractor"), ("device", "device")):
        assert {row[column] for row in rows} - {""} <= ids[record]
    for row in rows:
        if row["parent"]:
            assert row["parent"] in ids[row["record"]]
        if row["channels"]:
            assert set(row["channels"].split(";")) <= ids["channel"]
        if row["polygon"]:
            ring = json.loads(row["polygon"])["coordinates"][0]
            assert ring[0] == ring[-1]


def test_only_device_rows_hold_passwords_and_every_camera_has_one(fleet):
    for row in csv.DictReader(io.StringIO(fleet.inventory_csv(Ports(80, 554, 23, 443, 161)))):
        if row["record"] != "device":
            assert row["password"] == ""
        elif row["kind"] == "camera":
            assert row["password"]
            web = "443" if row["tls"] == "pin" else "80"
            assert (row["onvif_port"], row["rtsp_port"], row["tcp_port"]) == (web, "554", "0")
        elif row["kind"] == "network":
            assert (row["onvif_port"], row["rtsp_port"], row["tcp_port"], row["snmp_port"]) == ("0", "0", "23", "161")
            assert (row["username"], row["password"] != "") == ("", True), "a community has no user"


@pytest.mark.parametrize("devices", [1, 60, 500])
def test_the_register_takes_the_inventory_as_it_is_and_understands_every_field(devices):
    fleet, ports = Fleet.plan(devices), Ports(80, 554, 23)
    sheets = files.read(fleet.inventory_csv(ports).encode())
    found = examine(sheets, Register(), networks=["127.0.0.0/8"])
    assert found.problems == ()
    planned = fleet.register(ports)
    items = {(kind_of(item), item.id): item for item in found.items}
    for record, group in (("area", planned.areas), ("site", planned.sites), ("channel", planned.channels)):
        assert {id: items[record, id] for id in group} == dict(group)
    for device in planned.devices.values():
        taken = items["device", device.id]
        assert replace(taken, credential="") == device
        assert taken.credential == own_credential(device.id) or not fleet.by_id[device.id].password


@pytest.mark.parametrize(
    ("devices", "network", "says"),
    [
        (0, "127.0.0.0/8", "at least 1"),
        (5, "10.0.0.0/8", "not on the loopback device"),
        (5, "0.0.0.0/0", "not on the loopback device"),
        (5, "::1/128", "not on the loopback device"),
        (5, "127.0.0.1/8", "not a network"),
        (500, "127.9.0.0/24", "room for 164 devices"),
    ],
)
def test_a_fleet_that_cannot_be_is_refused_with_the_reason(devices, network, says):
    with pytest.raises(PlanError, match=says):
        Fleet.plan(devices, network=network)
