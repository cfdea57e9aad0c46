"""Power is told from network and from the device by what the switch says of the port."""

import pytest

from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Cause
from camera_registry.model.observation import Facts
from camera_registry.rules.power import explain, judge

CAMERA = Device("cam-7", Kind.CAMERA, parent="sw-1", parent_port="ge 5", power_source="PoE")


def port(*, up: bool = False, admin_up: bool = True, **more: str) -> Facts:
    return {"ports": [{"name": "GE4", "up": True}, {"name": "GE5", "up": up, "admin_up": admin_up, **more}]}


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (port(up=True, poe="delivering"), None),
        (port(poe="fault"), Cause.POWER),
        (port(poe="disabled"), Cause.POWER),
        (port(poe="searching"), Cause.POWER),
        (port(poe="delivering"), Cause.UNREACHABLE),
        (port(), Cause.UNREACHABLE),
        (port(admin_up=False, poe="delivering"), Cause.UNREACHABLE),
        ({}, None),
        ({"ports": [{"name": "GE9", "up": False}]}, None),
    ],
)
def test_a_lost_camera_is_explained_by_its_port(facts: Facts, says: Cause | None) -> None:
    told = explain(CAMERA, facts)
    assert (told[0] if told else None) is says


def test_a_camera_with_power_of_its_own_is_not_blamed_on_a_port_that_finds_nothing_to_feed() -> None:
    mains = Device("cam-7", Kind.CAMERA, parent="sw-1", parent_port="GE5", power_source="mains")
    told = explain(mains, port(poe="searching"))
    assert told is not None
    assert told[0] is Cause.UNREACHABLE


def test_a_port_is_known_by_its_alias_too() -> None:
    told = explain(CAMERA, {"ports": [{"name": "12", "alias": "Ge 5", "up": False, "admin_up": True, "poe": "fault"}]})
    assert told is not None
    assert told[0] is Cause.POWER


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"ups": {"source": "normal", "battery": "normal"}}, None),
        ({"ups": {"source": "battery", "minutes": 12}}, Cause.POWER),
        ({"ups": {"source": "normal", "battery": "depleted"}}, Cause.POWER),
        ({"poe_supplies": [{"state": "on"}]}, None),
        ({"poe_supplies": [{"state": "on"}, {"state": "faulty"}]}, Cause.POWER),
        ({}, None),
    ],
)
def test_a_supply_on_battery_or_out_of_order_is_a_fault_of_power(facts: Facts, says: Cause | None) -> None:
    assert judge(facts)[0] is says
