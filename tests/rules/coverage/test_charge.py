"""Whose the uncovered time of a view is: cases by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Aspect, State
from camera_registry.rules.coverage import steps
from camera_registry.rules.coverage.charge import charges, kept_views
from camera_registry.rules.coverage.period import History, only_views, sum_up
from tests.rules.coverage.test_period import T0, UTC_ZONE, at, flips, history

DEVICES = {
    "sw": Device("sw", Kind.NETWORK, contractor="fibre"),
    "cam-1": Device("cam-1", Kind.CAMERA, contractor="east", parent="sw"),
    "cam-2": Device("cam-2", Kind.CAMERA, contractor="west"),
    "cam-3": Device("cam-3", Kind.CAMERA),
}


def kept(past: History, devices: Mapping[str, Device] = DEVICES) -> History:
    """The same, with what the files say."""
    names = ("life", "contractor", "parent", "backup_parent")
    files = {id: steps.constant({name: getattr(one, name) for name in names}) for id, one in devices.items()}
    return replace(past, devices=files)


def hours(states: dict, *channels: str) -> dict[str, float]:
    """The hours of one day that are charged, of one view that these channels should show."""
    past = kept(history({"N": channels}, states))
    found = charges(past, sum_up(past, UTC_ZONE, T0, at(days=1)))
    return {id: time / timedelta(hours=1) for id, time in found.get(("gate", "N"), {}).items()}


def lost(device: str, since: float, until: float) -> dict:
    return flips(device, Aspect.REACH, (at(hours=since), State.DOWN), (at(hours=until), State.OK))


def test_time_is_charged_to_who_keeps_the_device() -> None:
    assert hours(lost("cam-1", 2, 5), "cam-1") == {"east": 3}


def test_time_in_which_every_parent_was_lost_is_the_parents() -> None:
    """cam-1 is down 2-8, its switch 3-6: 2-3 and 6-8 are its keeper's, 3-6 the switch's."""
    assert hours({**lost("cam-1", 2, 8), **lost("sw", 3, 6)}, "cam-1") == {"east": 3, "fibre": 3}


def test_two_who_fail_one_view_are_each_charged_and_only_while_it_is_uncovered() -> None:
    """cam-1 is down 2-8, cam-2 5-10: the view is uncovered 5-8, by both."""
    assert hours({**lost("cam-1", 2, 8), **lost("cam-2", 5, 10)}, "cam-1", "cam-2") == {"east": 3, "west": 3}


def test_what_nobody_keeps_and_what_is_mapped_to_nothing_is_nobodys() -> None:
    assert hours(lost("cam-3", 1, 2), "cam-3") == {"": 1}
    assert hours({}) == {"": 24}


def test_a_ring_of_lost_parents_ends() -> None:
    ring = {
        "cam-1": Device("cam-1", Kind.CAMERA, contractor="east", parent="sw"),
        "sw": Device("sw", Kind.NETWORK, contractor="fibre", parent="cam-1"),
    }
    past = kept(history({"N": ("cam-1",)}, {**lost("cam-1", 0, 1), **lost("sw", 0, 1)}), ring)
    assert charges(past, sum_up(past, UTC_ZONE, T0, at(days=1)))


def test_a_site_is_told_as_if_only_some_views_were_required() -> None:
    past = kept(history({"N": ("cam-1",), "S": ("cam-2",)}, lost("cam-1", 0, 6)))
    (whole,) = sum_up(past, UTC_ZONE, T0, at(days=1))
    assert kept_views(past, "east", T0, at(days=1)) == {"N"}
    (part,) = only_views([whole], {"N"})
    assert (whole.totals.ratio, part.totals.ratio) == (42 / 48, 18 / 24)
    # The site was never dark while S was shown; asked of N alone it was.
    assert (whole.dark_time, part.dark_time) == (timedelta(), timedelta(hours=6))
    assert only_views([whole], {"W"}) == []


def test_time_is_charged_to_who_kept_the_device_at_the_time() -> None:
    """cam-1 is down 2-8; at 5 it goes from East to West, and behind a switch that is down from 4 to 7."""
    past = kept(history({"N": ("cam-1",)}, {**lost("cam-1", 2, 8), **lost("sw", 4, 7)}))
    before = {"life": "active", "contractor": "east", "parent": "", "backup_parent": ""}
    moved = {"cam-1": steps.Steps((steps.EVER, at(hours=5)), (before, before | {"contractor": "west", "parent": "sw"}))}
    past = replace(past, devices={**past.devices, **moved})
    found = charges(past, sum_up(past, UTC_ZONE, T0, at(days=1)))
    # 2-5 East; 5-7 it is behind the dead switch of Fibre; 7-8 West.
    assert found["gate", "N"] == {"east": timedelta(hours=3), "fibre": timedelta(hours=2), "west": timedelta(hours=1)}
    assert kept_views(past, "east", T0, at(hours=5)) == {"N"}
    assert kept_views(past, "east", at(hours=5), at(days=1)) == set()
