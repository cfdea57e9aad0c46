"""This file says what a fault test is: one piece of code in two sizes, and findings with their figures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Size:
    """How large a fault test is: devices of the fleet, how often the fault is injected, and for how many seconds."""

    devices: int
    rounds: int = 1
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise, what was measured, in figures, and whether the promise was kept."""

    inject: str
    promise: str
    measured: str
    held: bool


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault test: ``run`` is given the size and an empty folder. ``short`` takes seconds, ``full`` up to minutes."""

    name: str
    run: Callable[[Size, Path], Awaitable[Sequence[Finding]]]
    short: Size
    full: Size


def table(findings: Iterable[Finding]) -> str:
    """The findings for people, a block each: the promise, and under it what was measured."""
    lines: list[str] = []
    for one in findings:
        lines += [f"{'kept  ' if one.held else 'BROKEN'} {one.inject}: {one.promise}", f"       {one.measured}"]
    return "\n".join(lines)


async def together(scenarios: Iterable[Scenario], folder: Path) -> dict[str, Sequence[Finding]]:
    """The short forms of these, all at once, for most of their time is spent waiting: by name, what was found."""

    async def run(one: Scenario) -> tuple[str, Sequence[Finding]]:
        own = folder / one.name
        own.mkdir()
        return one.name, await one.run(one.short, own)

    return dict(await asyncio.gather(*map(run, scenarios)))
