"""Loops in what should be a tree: areas below areas, devices behind devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")


def loops(parents: Mapping[str, str], start: Iterable[str] | None = None) -> list[tuple[str, ...]]:
    """Every loop that is reached from ``start`` (all, if not given), as the chain of its members.

    ``parents`` maps each member to the one above it, or to empty text. A chain begins with its smallest member, so
    that the same loop always reads the same; linear in the number of members.
    """
    finished: set[str] = set()
    found: list[tuple[str, ...]] = []
    for first in parents if start is None else start:
        path: dict[str, int] = {}
        member = first
        while member and member not in finished and member not in path:
            path[member] = len(path)
            member = parents.get(member, "")
        if member in path:
            chain = tuple(path)[path[member] :]
            smallest = chain.index(min(chain))
            found.append(chain[smallest:] + chain[:smallest])
        finished.update(path)
    return found


def from_the_top(items: Mapping[str, T], parents: Mapping[str, str]) -> list[T]:
    """Items of a tree by level and id, so that each comes after the one above it. What is in a loop comes first."""
    depths: dict[str, int] = {}
    for id in items:
        path: list[str] = []
        member = id
        while member in items and member not in depths and member not in path:
            path.append(member)
            member = parents.get(member, "")
        base = depths.get(member, -1)
        depths.update((above, base + step) for step, above in enumerate(reversed(path), start=1))
    return [items[id] for id in sorted(items, key=lambda id: (depths[id], id))]
