"""Rings in what should be a tree."""

from camera_registry.rules.inventory.loops import loops


def test_a_ring_is_found_by_either_of_two_parents() -> None:
    parents = {"cam": ("left", "right"), "left": ("core",), "right": ("spare",), "spare": ("right",), "core": ()}
    assert loops(parents) == [("right", "spare")]
    assert loops(parents, ["left"]) == []
    assert loops({"a": ("a",)}) == [("a",)]


def test_two_ways_to_one_parent_are_no_ring() -> None:
    assert loops({"cam": ("left", "right"), "left": ("core",), "right": ("core",), "core": ()}) == []


def test_a_chain_of_thousands_is_walked_without_recursion() -> None:
    parents = {str(n): (str(n + 1),) for n in range(5000)}
    assert loops(parents) == []
    assert len(loops({**parents, "5000": ("0",)})[0]) == 5001
