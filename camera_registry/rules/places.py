"""This file walks up the tree of areas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def way_up(area: str, area_parents: Mapping[str, str]) -> list[str]:
    """An area and those above it, the smallest first; none for an empty text. A loop ends the walk."""
    way: list[str] = []
    while area and area not in way:
        way.append(area)
        area = area_parents.get(area, "")
    return way


def shared_area(areas: Iterable[str], area_parents: Mapping[str, str]) -> str:
    """The smallest area that holds all of these; empty: there is none."""
    ways = [way_up(area, area_parents) for area in areas]
    return next((area for area in ways[0] if all(area in way for way in ways)), "") if ways else ""
