"""This file measures the page of per-device metrics: rendered anew, rendered again, compressed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from camera_registry.board import Board, BoardEntry
from camera_registry.model.device import Device, Kind
from camera_registry.model.health import Aspect, AspectState, State, Status, Subject
from camera_registry.model.observation import ProbeSeen
from exporters.aggregates import Aggregates
from exporters.exposition import compress
from exporters.prometheus import DevicePage

DEVICES = 11_000
TIMES = 3
"""Each is measured so many times; the median counts."""
CHANGED = DEVICES // 4
"""Devices asked between two scrapes, 15 s apart, that are each asked once a minute."""


@dataclass(frozen=True, slots=True)
class Page:
    """Milliseconds of CPU. ``fresh``: every device anew; ``scrape``: a quarter of them; ``cached``: none;
    ``aggregates``: counting a quarter of them anew and writing the counts down."""

    devices: int
    series: int
    megabytes: float
    fresh: float
    scrape: float
    cached: float
    gzip: float
    packed_megabytes: float
    aggregates: float


def measure(devices: int = DEVICES) -> Page:
    """Measure the page of so many healthy cameras."""
    return asyncio.run(_measure(devices))


async def _measure(devices: int) -> Page:
    board = Board()
    entries = [_entry(number) for number in range(devices)]
    board.swap(entries)
    quarter = entries[: devices * CHANGED // DEVICES]
    page, aggregates = DevicePage(board), Aggregates(board)
    text = await page.render()
    fresh = [await _render(DevicePage(board)) for _ in range(TIMES)]
    scrape, counting = [], []
    for _ in range(TIMES):
        again = _again(quarter)
        begun = time.process_time()
        board.swap(again)
        aggregates.text()
        counting.append(time.process_time() - begun)
        scrape.append(await _render(page))
    cached = [await _render(page) for _ in range(TIMES)]
    begun = time.process_time()
    packed = compress(text)
    gzip = time.process_time() - begun
    return Page(
        devices=devices,
        series=sum(1 for line in text.splitlines() if not line.startswith(b"#")),
        megabytes=len(text) / 2**20,
        fresh=median(fresh) * 1e3,
        scrape=median(scrape) * 1e3,
        cached=median(cached) * 1e3,
        gzip=gzip * 1e3,
        packed_megabytes=len(packed) / 2**20,
        aggregates=median(counting) * 1e3,
    )


async def _render(page: DevicePage) -> float:
    """Seconds of CPU."""
    begun = time.process_time()
    await page.render()
    return time.process_time() - begun


def _again(entries: Iterable[BoardEntry]) -> list[BoardEntry]:
    """The same devices after another poll."""
    return [
        BoardEntry(entry.device, (), entry.states, entry.probes, entry.status, entry.since, ()) for entry in entries
    ]


def _entry(number: int) -> BoardEntry:
    id = f"cam-{number:05}"
    at = datetime.now(UTC)
    device = Device(
        id, Kind.CAMERA, name=f"camera {number}", host="10.20.0.7", area=f"grid-{number % 900}", site="gate"
    )
    aspects = (Aspect.REACH, Aspect.CONTROL, Aspect.STREAM, Aspect.PICTURE, Aspect.CLOCK)
    states = tuple(AspectState(Subject(id, aspect), State.OK, State.OK, since=at) for aspect in aspects)
    facts: dict[str, dict[str, object]] = {
        "onvif": {"clock_offset_seconds": 0.4, "manufacturer": "Maker", "model": "M-1", "firmware": "1.0"},
        "rtsp": {"codec": "h264"},
        "snapshot": {"picture": {"mean_luma": 91.5, "luma_p95": 180.0, "deviation": 41.2, "flat_share": 0.01}},
    }
    probes = tuple(ProbeSeen(probe, "", at, 0.031, None, at, told) for probe, told in facts.items())
    return BoardEntry(device, (), states, probes, Status.OK, at)
