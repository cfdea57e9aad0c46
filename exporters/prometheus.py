"""This file writes the per-device page: what the board holds of each device, as series of fixed names.

A value that is not known has no series: an absent ``camera_up`` is neither good nor bad news. Labels carry codes; names
of areas, sites and firms are joined from the ``_info`` metrics. Devices that people have not put to work (planned,
suspended, retired) have an ``_info`` line and nothing else.

States and probes of channels are folded into their device, because a recorder with 64 channels would otherwise weigh
like 64 devices: an aspect is as bad as its worst channel, a probe's last success as old as its oldest.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from itertools import chain

from camera_registry.board import Board, BoardEntry
from camera_registry.model.device import Life
from camera_registry.model.health import Aspect, State, Status
from camera_registry.model.observation import ProbeSeen
from exporters.areas import Part, Tree
from exporters.exposition import Family, encode, escape, number

FAMILIES = (
    Family("camera_up", "1: the device is up (perhaps with faults), 0: it is down, absent: not known."),
    Family(
        "camera_aspect_state", "1: this aspect is in order, 0: it is not, absent: not known. Worst of the channels."
    ),
    Family("camera_aspect_known", "1: this aspect has been measured lately, 0: it has not."),
    Family("camera_fault_active", "1 for each confirmed fault, by the aspect it shows in and its cause."),
    Family("camera_parent_down", "1 where a parent (switch, uplink, recorder) that is down explains the fault."),
    Family("camera_probe_duration_seconds", "How long the newest run of this probe took."),
    Family("camera_last_success_timestamp_seconds", "When this probe last succeeded. Oldest of the channels."),
    Family("camera_clock_offset_seconds", "The device's clock minus ours."),
    Family("camera_picture_score", "Measures of the newest picture: luminance 0 to 255, shares 0 to 1."),
    Family("camera_device_info", "Always 1; what the register and the device say of itself."),
)
MAINTENANCE = Family("camera_maintenance", "1 while planned work covers the device: rates leave that time out.")
_TOLD = ("manufacturer", "model", "firmware")
"""The facts that are said of a device in words."""
_UP, _STATE, _KNOWN, _FAULT, _PARENT, _TOOK, _SUCCESS, _CLOCK, _PICTURE, _INFO = range(len(FAMILIES))

_HELD = (_UP, _STATE, _KNOWN, _FAULT, _PARENT)
"""The families of what is held true of a device: they change seldom, the others at each poll."""

PICTURE_MEASURES = ("mean_luma", "luma_p95", "deviation", "flat_share")
"""The facts of a picture that policy reads or people plot; the others stay in the evidence."""

BREATH = 250
"""Devices rendered before the event loop gets its turn: 7 ms of work at most."""

Lines = tuple[str, ...]
"""A device's text, one item a family, in their order."""

_HEADS = tuple(family.head for family in FAMILIES)
_ASPECT = {aspect: f',aspect="{aspect}"' for aspect in Aspect}
_MEASURE = {measure: f',measure="{measure}"}} ' for measure in PICTURE_MEASURES}


class DevicePage:
    """Renders the board. A device's text is kept until its entry is swapped; which ones planned work ``covered``
    changes by the clock, and is asked each time."""

    def __init__(self, board: Board, covered: Callable[[], Collection[str]] = frozenset) -> None:
        self._board = board
        self._covered = covered
        self._kept: dict[str, tuple[BoardEntry, Lines]] = {}
        self._under_way: dict[tuple[str, str, bool], asyncio.Task[bytes]] = {}

    async def render(self, area: str = "", kind: str = "", *, subtree: bool = True) -> bytes:
        """The page of one area with all beneath it (or, without ``subtree``, alone) and of one kind, if named.

        Takes turns with everything else on the loop, so that a scrape of a large fleet delays no poll. Those who ask
        for the same while it is rendered are given the same: it is 14 MB for 11,000 devices.
        """
        asked = area, kind, subtree
        task = self._under_way.get(asked)
        if task is None:
            task = self._under_way[asked] = asyncio.create_task(self._render(area, kind, subtree=subtree))
            task.add_done_callback(lambda _: self._under_way.pop(asked, None))
        # One who goes away must not take it from the others.
        return await asyncio.shield(task)

    async def _render(self, area: str, kind: str, *, subtree: bool) -> bytes:
        everywhere = subtree and not area
        areas = Tree(self._board.names.area_parents).members(Part(area, subtree))
        chosen = [
            entry
            for entry in self._board
            if (everywhere or entry.device.area in areas) and (not kind or entry.device.kind == kind)
        ]
        columns: list[list[bytes]] = [[head] for head in _HEADS]
        for first in range(0, len(chosen), BREATH):
            if first:
                await asyncio.sleep(0)
            rendered = map(self._lines, chosen[first : first + BREATH])
            for column, lines in zip(columns, zip(*rendered, strict=True), strict=True):
                column.append(encode("".join(lines)))
        self._forget()
        return b"".join(chain(chain.from_iterable(columns), (MAINTENANCE.head, self._maintenance(chosen))))

    def _maintenance(self, chosen: Iterable[BoardEntry]) -> bytes:
        covered = self._covered()
        ids = (one.device.id for one in chosen if one.device.id in covered and one.device.life is Life.ACTIVE)
        return encode("".join(f'camera_maintenance{{device="{escape(id)}"}} 1\n' for id in ids))

    def _lines(self, entry: BoardEntry) -> Lines:
        kept = self._kept.get(entry.device.id)
        if kept is not None and kept[0] is entry:
            return kept[1]
        lines = render(entry, kept)
        self._kept[entry.device.id] = (entry, lines)
        return lines

    def _forget(self) -> None:
        """Drop the text of devices that are gone, once they are more than a few."""
        if len(self._kept) > 1.1 * len(self._board) + 100:
            self._kept = {id: kept for id, kept in self._kept.items() if self._board.get(id) is not None}


def render(entry: BoardEntry, before: tuple[BoardEntry, Lines] | None = None) -> Lines:
    """A device's lines, one item a family. ``before``: an earlier entry of it, with the lines that it had."""
    device = f'{{device="{escape(entry.device.id)}"'
    text = [""] * len(FAMILIES)
    if before is not None and entry.stands_like(before[0]):
        for family in _HELD:
            text[family] = before[1][family]
        text[_INFO] = before[1][_INFO] if _tells_like(entry, before[0]) else _info(entry)
    else:
        text[_INFO] = _info(entry)
        if entry.device.life is Life.ACTIVE:
            _hold(entry, device, text)
    if entry.device.life is Life.ACTIVE:
        for probe, took, success in probe_values(entry):
            label = f'{device},probe="{escape(probe)}"}}'
            text[_TOOK] += f"camera_probe_duration_seconds{label} {number(took)}\n"
            if success is not None:
                text[_SUCCESS] += f"camera_last_success_timestamp_seconds{label} {number(success)}\n"
        offset = clock_offset(entry)
        if offset is not None:
            text[_CLOCK] = f"camera_clock_offset_seconds{device}}} {number(offset)}\n"
        if before is not None and before[1][_PICTURE] and _pictured(entry) is _pictured(before[0]):
            text[_PICTURE] = before[1][_PICTURE]
        else:
            for measure, score in picture_scores(entry):
                text[_PICTURE] += f"camera_picture_score{device}{_MEASURE[measure]}{number(score)}\n"
    return tuple(text)


def _hold(entry: BoardEntry, device: str, text: list[str]) -> None:
    """Write the lines of what is held true of a device."""
    up = up_value(entry.status)
    if up is not None:
        text[_UP] = f"camera_up{device}}} {up}\n"
    for aspect, value in aspect_values(entry):
        label = _ASPECT[aspect]
        if value is not None:
            text[_STATE] += f"camera_aspect_state{device}{label}}} {value}\n"
        text[_KNOWN] += f"camera_aspect_known{device}{label}}} {0 if value is None else 1}\n"
    if entry.reasons:
        text[_FAULT], text[_PARENT] = _faults(entry, device)


def _tells_like(entry: BoardEntry, other: BoardEntry) -> bool:
    """Whether the device says the same of itself as before."""
    return _words(entry) == _words(other)


def _words(entry: BoardEntry) -> list[object]:
    return [seen.facts.get(name) for seen in entry.probes if seen.probe == "onvif" for name in _TOLD]


def _faults(entry: BoardEntry, device: str) -> tuple[str, str]:
    """The lines of the faults, and of the parents that explain them."""
    shown = dict.fromkeys((reason.aspect, reason.cause) for reason in entry.reasons)
    parents = dict.fromkeys(reason.blamed for reason in entry.reasons if reason.blamed)
    return (
        "".join(f'camera_fault_active{device}{_ASPECT[aspect]},cause="{cause}"}} 1\n' for aspect, cause in shown),
        "".join(f'camera_parent_down{device},parent="{escape(parent)}"}} 1\n' for parent in parents),
    )


def _info(entry: BoardEntry) -> str:
    labels = ",".join(f'{name}="{escape(value)}"' for name, value in info_labels(entry).items())
    return f"camera_device_info{{{labels}}} 1\n"


def info_labels(entry: BoardEntry) -> dict[str, str]:
    """What is said of a device in words: the register's entry, and where it is silent what the device says of itself.

    The firmware is the one that runs, whatever the register expects.
    """
    device = entry.device
    told: dict[str, str] = {}
    for seen in entry.probes:
        if seen.probe == "onvif":
            told |= {name: value for name in _TOLD if isinstance(value := seen.facts.get(name), str)}
    return {
        "device": device.id,
        "name": device.name,
        "kind": device.kind.value,
        "area": device.area,
        "site": device.site,
        "manufacturer": device.manufacturer or told.get("manufacturer", ""),
        "model": device.model or told.get("model", ""),
        "firmware": told.get("firmware", "") or device.firmware,
        "contractor": device.contractor,
        "parent": device.parent,
        "life": device.life.value,
    }


def up_value(status: Status) -> int | None:
    """1 up, 0 down, None not known."""
    if status is Status.UNKNOWN:
        return None
    return int(status is not Status.DOWN)


def aspect_values(entry: BoardEntry) -> Iterator[tuple[Aspect, int | None]]:
    """Each aspect that is judged, with 1 in order, 0 not, None not known: the worst of its channels.

    A suspicion is not yet a fault: until it is confirmed, what was settled before it holds.
    """
    worst: dict[Aspect, int | None] = {}
    for state in entry.states:
        aspect, settled = state.subject.aspect, state.settled
        if settled is State.DOWN or settled is State.FLAPPING:
            worst[aspect] = 0
        elif settled is State.OK:
            worst.setdefault(aspect, 1)
        elif worst.get(aspect) != 0:
            worst[aspect] = None
    yield from worst.items()


def probe_values(entry: BoardEntry) -> Iterator[tuple[str, float, float | None]]:
    """Each probe: seconds its newest run took, and when it last succeeded (Unix time, to the millisecond)."""
    newest: dict[str, tuple[datetime, float]] = {}
    success: dict[str, datetime] = {}
    for seen in entry.probes:
        if seen.probe not in newest or seen.at > newest[seen.probe][0]:
            newest[seen.probe] = seen.at, seen.took
        if seen.last_success is not None:
            success[seen.probe] = min(success.get(seen.probe, seen.last_success), seen.last_success)
    for probe, (_, took) in newest.items():
        yield probe, round(took, 6), round(success[probe].timestamp(), 3) if probe in success else None


def clock_offset(entry: BoardEntry) -> float | None:
    """Seconds that the device's clock is ahead, unless nothing was heard of it lately."""
    if any(state.subject.aspect is Aspect.CLOCK and state.settled is State.STALE for state in entry.states):
        return None
    for seen in entry.probes:
        offset = seen.facts.get("clock_offset_seconds")
        if isinstance(offset, int | float) and math.isfinite(offset):
            return float(offset)
    return None


def picture_scores(entry: BoardEntry) -> Iterator[tuple[str, float]]:
    """Measures of the newest picture of the device, or of the first of its channels that has one."""
    seen = _pictured(entry)
    measures = seen.facts["picture"] if seen is not None else None
    if isinstance(measures, dict):
        for measure in PICTURE_MEASURES:
            score = measures.get(measure)
            if isinstance(score, int | float):
                yield measure, float(score)


def _pictured(entry: BoardEntry) -> ProbeSeen | None:
    """The run that brought the picture whose measures are told."""
    return next((seen for seen in entry.probes if "picture" in seen.facts), None)
