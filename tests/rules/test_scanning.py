"""The walk of a scan asks each address once, far from the one before, and costs nothing to remember."""

from __future__ import annotations

import sys
from ipaddress import ip_address, ip_network

import pytest

from camera_registry.rules.scanning import TooWide, Walk, outside


@pytest.mark.parametrize(
    "networks",
    [
        ["10.0.0.0/24"],
        ["10.0.0.0/30", "10.9.0.0/29"],
        ["10.0.0.7/32"],
        ["2001:db8::/120"],
        ["10.0.0.0/25", "fd00::/126"],
    ],
)
@pytest.mark.parametrize("seed", [0, 7])
def test_every_address_is_asked_once_and_no_other(networks: list[str], seed: int) -> None:
    walk = Walk(networks, seed)
    asked = [walk[place] for place in range(len(walk))]
    expected = {
        str(host) for text in networks for host in (ip_network(text).hosts() if "." in text else ip_network(text))
    }
    assert set(asked) == expected
    assert len(asked) == len(expected)


def test_the_order_is_the_same_each_time_and_another_for_another_seed() -> None:
    first, again, other = (list(Walk(["10.0.0.0/24"], seed)) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_neighbours_are_not_asked_after_each_other() -> None:
    walk = Walk(["10.0.0.0/22"])
    steps = [abs(int(ip_address(walk[place])) - int(ip_address(walk[place + 1]))) for place in range(len(walk) - 1)]
    assert min(steps) > 100


def test_networks_that_overlap_are_asked_once() -> None:
    assert len(Walk(["10.0.0.0/24", "10.0.0.0/25", "10.0.0.0/24"])) == 254


def test_a_large_network_costs_no_memory() -> None:
    walk = Walk(["10.0.0.0/12"])
    assert len(walk) == 1_048_574
    assert sum(sys.getsizeof(value) for value in vars(walk).values()) < 1000


@pytest.mark.parametrize("networks", [["10.0.0.0/8"], ["2001:db8::/64"], ["10.0.0.0/12", "172.16.0.0/12"]])
def test_what_can_never_be_asked_through_is_refused(networks: list[str]) -> None:
    with pytest.raises(TooWide, match="name smaller networks"):
        Walk(networks)


def test_nothing_to_walk_is_no_walk() -> None:
    assert list(Walk([])) == []


@pytest.mark.parametrize(
    ("network", "inside"),
    [
        ("10.0.1.0/24", True),
        ("10.0.0.0/16", True),
        ("10.0.0.0/15", False),
        ("10.1.0.0/24", False),
        ("fd00::/64", False),
    ],
)
def test_a_network_lies_inside_only_as_a_whole(network: str, inside: bool) -> None:
    assert (outside([network], ["10.0.0.0/16"]) == []) is inside
