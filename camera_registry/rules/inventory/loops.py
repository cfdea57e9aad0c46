"""Loops in what should be a tree: areas below areas, devices behind devices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def above(item: object) -> tuple[str, ...]:
    """Whatever an item of the register stands below or behind."""
    return tuple(filter(None, (getattr(item, "parent", ""), getattr(item, "backup_parent", ""))))


def loops(parents: Mapping[str, Sequence[str]], start: Iterable[str] | None = None) -> list[tuple[str, ...]]:
    """Loops that are reached from ``start`` (all, if not given), each as the chain of its members; none: no loop.

    ``parents`` maps each member to those above it. A chain begins with its smallest member, so that the same loop
    always reads the same; linear in the number of references, so of loops that share members not every one is told.
    """
    finished: set[str] = set()
    found: dict[tuple[str, ...], None] = {}
    for first in parents if start is None else start:
        path: dict[str, Iterator[str]] = {}
        member: str | None = first
        while member is not None or path:
            if member is None:
                last = next(reversed(path))
                member = next(path[last], None)
                if member is None:
                    finished.add(last)
                    del path[last]
            elif member in path:
                chain = tuple(path)[list(path).index(member) :]
                smallest = chain.index(min(chain))
                found[chain[smallest:] + chain[:smallest]] = None
                member = None
            else:
                if member not in finished:
                    path[member] = iter(parents.get(member, ()))
                member = None
    return list(found)


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
