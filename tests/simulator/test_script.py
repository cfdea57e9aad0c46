"""Tests that fault scripts say what is wrong with them, choose the same devices each time, and happen as written."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from camera_registry.model.device import Kind
from camera_registry.simulator.faults import Fault
from camera_registry.simulator.plan import Fleet
from camera_registry.simulator.script import Event, Script, ScriptError
from camera_registry.texts import texts
from tests.simulator.wire import until

DEMO = Path(__file__).resolve().parents[2] / "config" / "demo" / "faults.toml"


def script(*steps: str, seed: int = 1) -> Script:
    return Script.parse(f"seed = {seed}\n" + "\n".join(f"[[step]]\n{step}" for step in steps), "story.toml")


def test_the_same_seed_picks_the_same_devices_and_another_seed_others(fleet):
    step = 'at = 1\nfault = "black"\npick = { kind = "camera", count = 5 }'
    (first,) = script(step).resolve(fleet)
    assert script(step).resolve(fleet) == (first,)
    assert script(step, seed=2).resolve(fleet)[0].devices != first.devices
    assert len(set(first.devices)) == 5


def test_a_step_for_a_time_begins_and_ends(fleet):
    begins, ends = script('at = 1.5\nfor = 2\nfault = "clock_drift"\nseconds = 60\ntarget = "cam-00003"').resolve(fleet)
    assert (begins.at, begins.ends, begins.options, begins.devices) == (1.5, False, {"seconds": 60}, ("cam-00003",))
    assert (ends.at, ends.ends, ends.devices) == (3.5, True, ("cam-00003",))


def test_no_device_is_picked_twice_nor_beneath_a_switch_that_goes_down(fleet):
    steps = [f'at = {number}\nfault = "black"\npick = {{ kind = "camera", count = 9 }}' for number in range(5)]
    down = 'at = 0\nfault = "switch_down"\npick = { kind = "network", leaf = true }'
    events = script(down, *steps).resolve(fleet)
    picked = [device for event in events if event.fault is Fault.BLACK for device in event.devices]
    (switch,) = events[0].devices
    assert len(set(picked)) == 45
    assert set(picked).isdisjoint(fleet.beneath(switch))


@pytest.mark.parametrize(
    ("pick", "fits"),
    [
        ('kind = "recorder"', lambda member: member.device.kind is Kind.RECORDER),
        ('traffic_kind = "signal"', lambda member: member.device.traffic_kind == "signal"),
        ('area = "d02"', lambda member: member.device.area.startswith("d02-")),
        ('area = "city", maker = "Nordlys"', lambda member: member.maker.name == "Nordlys"),
        ('parent = "sw-00042", kind = "camera"', lambda member: member.device.parent == "sw-00042"),
        ('kind = "network", leaf = false', lambda member: not member.device.parent),
    ],
)
def test_a_pick_takes_only_what_fits(fleet, pick, fits):
    (event,) = script(f'at = 0\nfault = "power_off"\npick = {{ {pick} }}').resolve(fleet)
    assert all(fits(fleet.by_id[device]) for device in event.devices)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("seed = ", "not valid TOML"),
        ("sede = 1", "unknown key 'sede'; known are seed, step"),
        ('seed = "one"', "seed is a whole number"),
        ("step = 1", r"under a \[\[step\]\] of its own"),
        ("[[step]]\nat = 1", "step 1: fault is one of power_off,"),
        ('[[step]]\nfault = "black"\ntarget = "cam-00003"', "step 1: at is a number of seconds"),
        ('[[step]]\nat = -1\nfault = "black"\ntarget = "cam-00003"', "at is a number of seconds"),
        ('[[step]]\nat = 1\nfault = "black"', "either target or pick"),
        ('[[step]]\nat = 1\nfault = "black"\ntarget = "x"\npick = {}', "either target or pick"),
        ('[[step]]\nat = 1\nfault = "black"\ntarget = 7', "target is a device's id or a list"),
        ('[[step]]\nat = 1\nfault = "black"\npick = { kinds = "camera" }', "pick: unknown key 'kinds'"),
        ('[[step]]\nat = 1\nfault = "black"\npick = { kind = "kamera" }', "pick: kind is one of camera,"),
        ('[[step]]\nat = 1\nfault = "black"\npick = { count = 0 }', "pick: count is a number from 1 on"),
        ('[[step]]\nat = 1\nfault = "black"\npick = { leaf = 1 }', "pick: leaf is true or false"),
        ('[[step]]\nat = 1\nfault = "black"\npick = "camera"', "pick is a table"),
        ('[[step]]\nat = 1\nfault = "black"\ntarget = "x"\noptional = 1', "optional is true or false"),
        ('[[step]]\nat = 1\nfault = "black"\ntarget = "x"\nperiod = 9', "step 1: black has no option 'period'"),
        ('[[step]]\nat = 1\nfault = "black"\ntarget = "cam-x"', "target 'cam-x' is not in this fleet of 150"),
        ('[[step]]\nat = 1\nfault = "black"\npick = { count = 151 }', "151 devices are wanted and 150 fit"),
    ],
)
def test_a_script_with_a_mistake_says_where_and_what(fleet, text, says):
    with pytest.raises(ScriptError, match=rf"^story\.toml.*{says}"):
        Script.parse(text, "story.toml").resolve(fleet)


def test_a_script_that_is_not_there_says_where_to_find_one(tmp_path):
    with pytest.raises(ScriptError, match=r"no such file; config/demo/faults\.toml"):
        Script.load(tmp_path / "none.toml")


def test_a_step_that_is_optional_is_left_out_where_nothing_fits(fleet):
    assert script('at = 1\nfault = "black"\npick = { count = 151 }\noptional = true').resolve(fleet) == ()


async def test_a_script_happens_on_a_served_fleet(simulation, fleet):
    told: list[tuple[str, frozenset[str]]] = []

    def tell(event: Event) -> None:
        told.append((event.told(texts("en")), frozenset(simulation.faults.dark())))

    first = 'at = 0\nfor = 0.2\nfault = "switch_down"\ntarget = "sw-00042"\nnote = "cut fibre"'
    second = 'at = 0.1\nfault = "clock_drift"\nseconds = 90\ntarget = ["cam-00003", "cam-00004"]'
    simulation.play(script(first, second).resolve(fleet), asyncio.get_running_loop().time(), tell)
    await until(lambda: len(told) == 3)
    assert told[0] == ("0 s: switch_down begins on sw-00042 (cut fibre)", frozenset(fleet.beneath("sw-00042")))
    assert simulation.faults.dark() == frozenset()
    assert simulation.faults.active().keys() == {"cam-00003", "cam-00004"}


@pytest.mark.parametrize("devices", [1, 4, 20, 60, 200, 1000])
def test_the_demo_tells_its_story_on_a_fleet_of_any_size(devices):
    fleet = Fleet.plan(devices)
    events = Script.load(DEMO).resolve(fleet)
    assert events
    assert min(event.at for event in events) >= 30, "everything is well at first"
    assert max(event.at for event in events) < 120, "all is told within two minutes"


def test_the_demo_cuts_one_switch_of_a_district_and_spares_the_rest():
    fleet = Fleet.plan(200)
    events = Script.load(DEMO).resolve(fleet)
    cut, mended = (event for event in events if event.fault is Fault.SWITCH_DOWN)
    assert (cut.at, mended.at) == (30, 90)
    assert len(fleet.beneath(cut.devices[0])) == 41
    faults = {event.fault for event in events}
    assert faults >= {"black", "frozen", "wrong_password", "clock_drift", "serial_swapped", "flapping", "power_off"}
