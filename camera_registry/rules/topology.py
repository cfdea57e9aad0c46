"""This file decides which lost parent explains a lost device."""

from __future__ import annotations

from collections.abc import Container, Mapping


def blamed(device: str, parents: Mapping[str, str], down: Container[str]) -> str:
    """The farthest ancestor (switch, uplink, recorder) of ``device`` that is down, or an empty text.

    The farthest one is where a crew must go: a switch behind a dead uplink is not to blame. The register refuses
    loops; one that slipped in ends the walk.
    """
    found = ""
    walked = {device}
    parent = parents.get(device, "")
    while parent and parent not in walked:
        if parent in down:
            found = parent
        walked.add(parent)
        parent = parents.get(parent, "")
    return found


def ancestors(device: str, parents: Mapping[str, str]) -> list[str]:
    """The devices above ``device``, the nearest first."""
    found: list[str] = []
    parent = parents.get(device, "")
    while parent and parent != device and parent not in found:
        found.append(parent)
        parent = parents.get(parent, "")
    return found


def children(parents: Mapping[str, str]) -> dict[str, list[str]]:
    """The devices right below each parent."""
    below: dict[str, list[str]] = {}
    for device, parent in parents.items():
        if parent:
            below.setdefault(parent, []).append(device)
    return below


def descendants(device: str, below: Mapping[str, list[str]]) -> list[str]:
    """Every device beneath ``device``, at any depth."""
    found: list[str] = []
    walked = {device}
    waiting = list(below.get(device, ()))
    while waiting:
        child = waiting.pop()
        if child not in walked:
            walked.add(child)
            found.append(child)
            waiting.extend(below.get(child, ()))
    return found
