"""Which lost parent explains a lost device."""

from camera_registry.rules.topology import ancestors, blamed, children, descendants

PARENTS = {"cam": ("switch",), "switch": ("uplink",), "uplink": (), "a": ("b",), "b": ("a",)}


def test_the_farthest_lost_parent_is_to_blame() -> None:
    assert blamed("cam", PARENTS, {"switch", "uplink"}) == "uplink"
    assert blamed("cam", PARENTS, {"switch"}) == "switch"
    assert blamed("cam", PARENTS, {"cam"}) == ""


def test_a_loop_in_the_topology_ends_the_walk() -> None:
    assert blamed("a", PARENTS, {"b"}) == "b"
    assert set(descendants("a", children(PARENTS))) == {"b"}


def test_everything_beneath_a_device_is_found_at_any_depth() -> None:
    assert set(descendants("uplink", children(PARENTS))) == {"switch", "cam"}


def test_a_second_way_carries_until_it_is_lost_too() -> None:
    ring = {"cam": ("left", "right"), "left": ("core",), "right": ("core",), "core": ()}
    assert blamed("cam", ring, {"left"}) == ""
    assert blamed("cam", ring, {"left", "right"}) == "left"
    assert blamed("cam", ring, {"core"}) == "core"
    assert blamed("cam", ring, {"core", "right"}) == "core"
    assert list(ancestors("cam", ring)) == ["left", "right", "core"]
