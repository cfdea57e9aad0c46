"""What Prometheus is told to scrape holds every device once, in pages of bearable size."""

from __future__ import annotations

import asyncio
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from camera_registry.board import Board, Names
from camera_registry.model.device import Kind, Life
from exporters import discovery
from exporters.prometheus import DevicePage
from tests.exporters import boards
from tests.exporters.boards import board, entry
from tests.exporters.test_prometheus import parse


def test_every_device_in_use_is_a_target_with_its_place_in_labels_that_prometheus_drops() -> None:
    made = board(entry("sw-1", kind=Kind.NETWORK), entry("cam-1", parent="sw-1"), entry("old", life=Life.RETIRED))
    groups = json.loads(discovery.devices(made))
    assert [group["targets"] for group in groups] == [["sw-1"], ["cam-1"]]
    labels = groups[1]["labels"]
    assert labels["__meta_camera_registry_host"] == "127.0.0.7"
    assert labels["__meta_camera_registry_parent"] == "sw-1"
    assert all(name.startswith("__meta_") and isinstance(text, str) for name, text in labels.items())


def test_a_small_fleet_is_one_page() -> None:
    groups = json.loads(discovery.pages(board(entry("a"), entry("b", area="south")), "10.0.0.1:8600"))
    assert len(groups) == 1
    assert groups[0]["targets"] == ["10.0.0.1:8600"]
    assert groups[0]["labels"]["__metrics_path__"] == "/metrics/devices"


def test_an_empty_register_is_still_a_page_so_that_a_broken_scrape_shows() -> None:
    assert len(json.loads(discovery.pages(board(), "10.0.0.1:8600"))) == 1


def devices_of(made: Board, group: dict[str, dict[str, str]]) -> list[str]:
    """The devices on a page, asked for as Prometheus would: it drops labels that are empty."""
    labels = {name: text for name, text in group["labels"].items() if text}
    subtree = labels.get("__param_subtree") != "0"
    text = asyncio.run(DevicePage(made).render(labels.get("__param_area", ""), subtree=subtree))
    return sorted(dict(labels)["device"] for name, labels in parse(text) if name == "camera_device_info")


areas = st.sampled_from(["city", "north", "north-1", "north-2", "south", "", "astray"])


@given(st.lists(areas, max_size=30), st.integers(1, 12))
@settings(deadline=None, max_examples=60)
def test_every_device_is_on_exactly_one_page(places: list[str], limit: int) -> None:
    made = board(*(entry(f"cam-{number}", area=area) for number, area in enumerate(places)))
    groups = json.loads(discovery.pages(made, "10.0.0.1:8600", limit))
    found = [device for group in groups for device in devices_of(made, group)]
    assert sorted(found) == sorted(f"cam-{number}" for number in range(len(places)))
    names = [group["labels"]["page"] for group in groups]
    assert len(set(names)) == len(names)


def test_a_page_holds_no_more_than_the_limit_where_areas_can_be_cut() -> None:
    made = board(*(entry(f"cam-{number}", area=f"north-{number % 2 + 1}") for number in range(20)))
    groups = json.loads(discovery.pages(made, "10.0.0.1:8600", 10))
    assert [len(devices_of(made, group)) for group in groups] == [10, 10]


def test_a_loop_in_the_tree_loses_nobody() -> None:
    looped = Names(areas={"a": "A", "b": "B"}, area_parents={"a": "b", "b": "a"})
    made = board(entry("one", area="a"), entry("two", area="b"), names=looped)
    groups = json.loads(discovery.pages(made, "10.0.0.1:8600", 1))
    assert sorted(device for group in groups for device in devices_of(made, group)) == ["one", "two"]


def test_names_that_are_not_utf8_do_not_take_discovery_down() -> None:
    made = board(boards.renamed(entry("a"), "cam\ud800"))
    assert json.loads(discovery.devices(made))[0]["targets"] == ["cam?"]


def test_pollers_are_named() -> None:
    assert json.loads(discovery.pollers("10.0.0.1:8600", ["local"])) == [
        {"targets": ["10.0.0.1:8600"], "labels": {"poller": "local"}}
    ]
