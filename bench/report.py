"""This file shows what was measured: a table for people, JSON for the next comparison."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.pages import Page
from bench.peers import Peer
from bench.probing import Cost
from bench.rivals import Rival
from bench.whole import Whole

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True, slots=True)
class Result:
    """One run of the benchmarks. ``interpreter``: microseconds, see ``bench.calibration``."""

    command: str
    interpreter: float
    costs: list[Cost]
    peers: list[Peer]
    rivals: list[Rival]
    page: Page
    whole: Whole


def table(result: Result) -> str:
    """The result in words and columns."""
    floor = result.costs[0].cpu
    lines = [
        f"{machine()}; calibration {result.interpreter:.1f} us a round",
        "",
        f"{'what one run of a probe costs':34}{'ms CPU':>9}{'x floor':>9}{'ms child':>10}{'runs/s':>9}",
    ]
    for cost in result.costs:
        child = f"{cost.child:10.2f}" if cost.child else f"{'':10}"
        lines.append(f"{cost.what:34}{cost.cpu:9.3f}{cost.cpu / floor:9.1f}{child}{cost.rate:9.0f}")
    lines += _with_peers(result.peers)
    lines += _beside(result.rivals)
    page, whole = result.page, result.whole
    lines += ["", f"page of metrics: {page.devices:,} devices, {page.series:,} series, {page.megabytes:.1f} MB"]
    lines += [
        f"  {what:40}{cost:>7.1f} ms"
        for what, cost in (
            ("rendered anew", page.fresh),
            ("a scrape, a quarter of them polled since", page.scrape),
            ("nothing changed", page.cached),
            (f"compressed to {page.packed_megabytes:.1f} MB", page.gzip),
            ("counts by area and cause, same quarter", page.aggregates),
        )
    ]
    lines += ["", f"whole path: {whole.devices} devices, {whole.rounds_per_minute:,.0f} devices a minute"]
    lines += [f"  {what:40}{value:>10}  {remark}".rstrip() for what, value, remark in _rows(whole, floor)]
    lines += [
        "",
        "CPU is solid; lateness and rates are bounds, for other things may run here. Quote ratios. Repeat with:",
        f"  {result.command}",
    ]
    return "\n".join(lines)


def _with_peers(peers: list[Peer]) -> list[str]:
    """Clients that carry the same bytes to the same devices."""
    if not peers:
        return []
    lines = ["", f"{'the exchanges of a minute, a fresh connection each':34}  {'':18}{'ms CPU':>9}{'x C':>8}"]
    what = ""
    for peer in peers:
        lines.append(f"{peer.what if peer.what != what else '':34}  {peer.client:18}{peer.cpu:9.3f}{peer.times:8.1f}")
        what = peer.what
    return lines


def _beside(rivals: list[Rival]) -> list[str]:
    """Our probes beside other clients."""
    if not rivals:
        return []
    head = f"{'one device, asked for the first time':52}{'ms CPU':>9}{'ms wall':>9}{'x CPU':>8}{'x wall':>8}"
    lines = ["", head]
    for rival in rivals:
        lines.append(f"{rival.what:34}{'our probe':18}{rival.cpu:9.2f}{rival.wall:9.1f}")
        ratios = f"{rival.cpu_ratio:8.1f}{rival.wall_ratio:8.1f}"
        answered = f"  {rival.answered} of {rival.tried} answered"
        lines.append(f"{'':34}{rival.client:18}{rival.their_cpu:9.2f}{rival.their_wall:9.1f}{ratios}{answered}")
    return lines


def _rows(whole: Whole, floor: float) -> list[tuple[str, str, str]]:
    polls = ", ".join(f"{name} {count:,}" for name, count in sorted(whole.polls.items()))
    both = whole.cpu + whole.child
    return [
        ("CPU a device-minute, service", f"{whole.cpu:.2f} ms", f"{whole.cpu / floor:.1f} x floor"),
        ("CPU a device-minute, decoding", f"{whole.child:.2f} ms", "in processes of its own"),
        ("share of one processor", f"{whole.share:.1%}", "without decoding"),
        (
            "devices a minute on one processor",
            f"{60_000 / whole.cpu:,.0f}",
            f"extrapolated; {60_000 / both:,.0f} in all",
        ),
        ("polls in the window", f"{sum(whole.polls.values()):,}", polls),
        ("polls failed, polls missed", f"{whole.failed}, {whole.missed}", ""),
        ("99 % of polls late by at most", f"{whole.poll_lag:.3g} s", f"half of them: {whole.poll_lag_median:.3g} s"),
        ("99 % of wake-ups late by at most", f"{whole.loop_lag:.3g} s", ""),
        ("memory of the service", f"{whole.megabytes:.0f} MB", ""),
        ("import of the fleet", f"{whole.import_seconds:.1f} s", ""),
        ("start to every device known", f"{whole.first_round:.1f} s", ""),
        ("scrape of all devices", f"{whole.scrape_seconds:.3f} s", f"{whole.scrape_megabytes:.1f} MB"),
    ]


def write(result: Result, folder: Path) -> Path:
    """Write the result beside those before it."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    path = folder / f"{now:%Y%m%dT%H%M%SZ}.json"
    told = {"at": now.isoformat(timespec="seconds"), "machine": machine(), **asdict(result)}
    path.write_text(json.dumps(told, indent=1), encoding="utf-8")
    return path


def machine() -> str:
    """Processor, count of processors, Python."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{len(os.sched_getaffinity(0))} x {model}, Python {platform.python_version()}"
