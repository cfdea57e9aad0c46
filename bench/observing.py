"""Measures what the observation log costs: ``python -m bench.observing LOG``, with a log that a service has written.

What is in that log is taken for so many devices, each asked as often as the default settings ask; so its devices should
be like those of the city.
"""

from __future__ import annotations

import argparse
import gzip
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from camera_registry.model.observation import Observation
from camera_registry.model.register import Register
from camera_registry.rules.dispatch.book import OrderBook
from camera_registry.rules.incidents.book import Book
from camera_registry.service.ledger import Ledger
from camera_registry.service.memory import Lists, joined, register_of
from camera_registry.service.replay.reading import files, read
from camera_registry.service.replay.records import Followed, Judged, Line, Remembered, decode, encode
from camera_registry.service.replay.registers import edited
from camera_registry.settings import Settings

BATCH = 50


def main() -> None:
    """Print volumes and milliseconds of CPU."""
    parser = argparse.ArgumentParser(prog="python -m bench.observing", description=__doc__)
    parser.add_argument("log", type=Path, nargs="+")
    parser.add_argument("--devices", type=int, default=11_000)
    args = parser.parse_args()
    register, seen = _taken(args.log)
    copies = -(-args.devices // len(register.devices))
    city = _register(register, copies)
    now = max(one.at for one in seen)
    ledger = Ledger(Settings().health.policy(), Settings().probes.policy())
    ledger.follow(city, now)
    _round(ledger, seen, copies, now)
    _checkpoint(ledger, city, now)


def _taken(paths: list[Path]) -> tuple[Register, list[Observation]]:
    """The register of a log, and the newest run of each kind that each device was asked in."""
    register, newest = Register(), dict[tuple[str, str, str], Observation]()
    for line in read(files(paths)):
        if isinstance(line, Line) and isinstance(line.record, Followed):
            register = edited(register, line.record.put, line.record.gone)
        elif isinstance(line, Line) and isinstance(line.record, Judged):
            newest.update({(one.device, one.probe, one.channel): one for one in line.record.seen})
    return register, list(newest.values())


def _register(register: Register, copies: int) -> Register:
    devices, channels = {}, {}
    for n in range(copies):
        for device in register.devices.values():
            parent = f"{device.parent}.{n}" if device.parent else ""
            devices[f"{device.id}.{n}"] = replace(device, id=f"{device.id}.{n}", parent=parent)
        for channel in register.channels.values():
            channels[f"{channel.id}.{n}"] = replace(channel, id=f"{channel.id}.{n}", device=f"{channel.device}.{n}")
    return replace(register, devices=devices, channels=channels)


def _round(ledger: Ledger, seen: list[Observation], copies: int, now: datetime) -> None:
    """Every run once; each counts as often as it is made in a minute."""
    paces = Settings().probes.policy().paces
    devices = len(ledger.memory()[1])
    judged = written = size = packed = 0.0
    for probe in sorted({one.probe for one in seen}):
        per_minute = 60 / paces[probe].interval
        runs = [one for one in seen if one.probe == probe]
        whole = [replace(one, device=f"{one.device}.{n}", channel=f"{one.channel}.{n}" if one.channel else "")
                 for n in range(copies) for one in runs]  # fmt: skip
        batches = [tuple(whole[first : first + BATCH]) for first in range(0, len(whole), BATCH)]
        begun = time.process_time()
        for batch in batches:
            ledger.judge(batch, now)
        told = time.process_time()
        lines = [encode(Line(n, now, Judged(batch))) for n, batch in enumerate(batches)]
        ended = time.process_time()
        judged, written = judged + (told - begun) * per_minute, written + (ended - told) * per_minute
        size += sum(map(len, lines)) * per_minute
        begun = time.process_time()
        gzip.compress(b"".join(lines), 3)
        packed += (time.process_time() - begun) * per_minute
        each = sum(map(len, lines)) / len(whole)
        print(f"  {probe}: {len(whole) * per_minute:,.0f} runs a minute, {each:.0f} bytes each")
    cost, more = judged / devices * 1e3, written / devices * 1e3
    print(f"{devices} devices, per device and minute: judging {cost:.3f} ms, the log {more:.3f} ms besides")
    print(f"  {size * 1440 / 1e9:.1f} GB a day; to compress it {packed / devices * 1e3:.3f} ms more, on a thread")


def _checkpoint(ledger: Ledger, city: Register, now: datetime) -> None:
    begun = time.process_time()
    own, devices = ledger.memory()
    held = time.process_time() - begun
    lists = Lists(city, devices, Book(now), OrderBook())
    costs, lines = [], []
    for part in lists.parts():
        begun = time.process_time()
        lines.append(encode(Line(1, now, Remembered(part))))
        costs.append(time.process_time() - begun)
    begun = time.process_time()
    gzip.compress(b"".join(lines), 3)
    zipped = time.process_time() - begun
    aside = f"{sum(costs) + zipped:.1f} s off it, {max(costs) * 1e3:.1f} ms at once"
    print(f"checkpoint: {held * 1e3:.0f} ms on the loop; {aside}")
    print(f"  {sum(map(len, lines)) / 1e6:.1f} MB before it is compressed")
    begun = time.process_time()
    parts = [decode(line).record for line in lines]
    whole = joined(one.part for one in parts if isinstance(one, Remembered))
    again = Ledger(ledger.policy, ledger.polls)
    again.recall(own, whole.devices, register_of(whole), now)
    print(f"  taken up again in {time.process_time() - begun:.1f} s; the same: {again.memory()[1] == devices}")


if __name__ == "__main__":
    main()
