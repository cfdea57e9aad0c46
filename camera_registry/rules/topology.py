"""This file decides which lost parent explains a lost device.

A device may stand behind two parents; then only the loss of both explains it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

Parents = Mapping[str, Sequence[str]]
"""Each device's parents; one that stands alone may be missing."""


def blamed(device: str, parents: Parents, down: Container[str]) -> str:
    """The farthest ancestor (switch, uplink, recorder) of ``device`` that is down, or an empty text.

    The farthest one is where a crew must go: a switch behind a dead uplink is not to blame. Where both of two parents
    are lost, it is the farthest one above the first. The register refuses loops; one that slipped in ends the walk.
    """
    above = [_lost(parent, parents, down, (device,)) for parent in parents.get(device, ())]
    return above[0] if above and all(above) else ""


def _lost(device: str, parents: Parents, down: Container[str], walked: tuple[str, ...]) -> str:
    """The ancestor by which ``device`` is lost to those behind it, itself at last; empty if it is not lost."""
    if device in walked:
        return ""
    above = [_lost(parent, parents, down, (*walked, device)) for parent in parents.get(device, ())]
    if above and all(above):
        return above[0]
    return device if device in down else ""


def ancestors(device: str, parents: Parents) -> Iterator[str]:
    """Every device that ``device`` stands behind, the nearest first."""
    walked = {device}
    waiting = list(parents.get(device, ()))
    while waiting:
        above = waiting.pop(0)
        if above not in walked:
            walked.add(above)
            yield above
            waiting.extend(parents.get(above, ()))


def only_way(device: str, parents: Parents) -> list[str]:
    """The devices above ``device``, the nearest first, as far up as there is but one way: where it parts, the loss of
    one breaks nothing."""
    found: list[str] = []
    above = parents.get(device, ())
    while len(above) == 1 and above[0] != device and above[0] not in found:
        found.append(above[0])
        above = parents.get(above[0], ())
    return found


def children(parents: Parents) -> dict[str, list[str]]:
    """The devices right below each parent."""
    below: dict[str, list[str]] = {}
    for device, above in parents.items():
        for parent in above:
            below.setdefault(parent, []).append(device)
    return below


def descendants(device: str, below: Mapping[str, Sequence[str]]) -> list[str]:
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
