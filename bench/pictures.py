"""This file measures the picture judge: `python -m bench.pictures [--seconds 10]`.

Processor time of one judgement of a 1080p JPEG, on one thread, and its ratio to decoding the same JPEG with OpenCV in
full, which is what two machines can be compared by: of a street with texture everywhere, and of a room that is coded
as cameras do, in a third of the bytes. Then pictures are handed to a desk at a steady rate, while the loop
that hands them on is asked every few milliseconds how late it is. With --service a whole service asks a simulated fleet
for as many pictures a second, beside all else that it does; it, its decoding processes and the fleet share the
processors that the benchmark was given.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from bench import whole
from bench.fleet import served
from camera_registry.rules.pictures import judge
from camera_registry.rules.pictures.sight import sight
from probes.picture.burnt_in import Osd
from probes.picture.child import Decoder
from probes.picture.desk import PictureDesk, View
from probes.picture.examination import Examiner
from tests.picture import generated
from tests.picture.camera import Camera, levels_of, light_of
from tests.picture.cases import Scene

NOON = datetime(2026, 6, 10, 12, 0, 5)  # noqa: DTZ001 - a camera's local time has no zone
SIZE = (1920, 1080)
TIMES = 41
REFERENCES = 3
LIGHT = 75
"""JPEG quality at which a 1080p picture of a room has some 80 kB, what an IP camera sends."""
OSD = Osd(Camera().box(SIZE[::-1]), "YYYY-MM-DD HH:MM:SS")
DEVICES, ROUND = 300, 30.0
"""Of the simulated fleet: how many, and the seconds of a round of the other probes."""
TICK = 0.005
"""Seconds between two questions to the loop."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.pictures", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10, help="how long pictures are handed on (%(default)s)")
    parser.add_argument("--rate", type=float, default=50, help="pictures a second (%(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="decoding processes (%(default)s)")
    parser.add_argument("--service", action="store_true", help="by a service that polls a simulated fleet")
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    if args.service:
        print(_in_service(args))
        return 0
    frames, references, fresh = _pictures(generated.street(7), Camera(), texture=4)
    _costs(frames, references, fresh)
    _costs(*_pictures(generated.room(7), Camera(quality=LIGHT), texture=0), clocks=False)
    print(asyncio.run(_sustained(args, frames, references)))
    return 0


def _pictures(scene: Scene, camera: Camera, *, texture: float) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Frames of one view, references of it, and pictures that were never seen before. ``texture``: deviation in levels
    of what is in the view besides the scene."""
    random = np.random.default_rng(1)
    large = cv2.resize(scene.pictures[0], SIZE, interpolation=cv2.INTER_CUBIC)
    light = light_of(np.clip(large + random.normal(0, texture, large.shape), 0, 255).astype(np.uint8))
    frames = [camera.take(light, NOON + timedelta(seconds=2 * n), random) for n in range(4)]
    references = [camera.take(light, NOON - timedelta(days=n + 1), random, 0.9 + 0.1 * n) for n in range(REFERENCES)]
    levels = levels_of(light)
    fresh = [camera.code(camera.burn_in(levels, NOON + timedelta(seconds=n))) for n in range(TIMES)]
    return frames, references, fresh


def _costs(
    frames: Sequence[bytes], references: Sequence[bytes], fresh: Sequence[bytes], *, clocks: bool = True
) -> None:
    decoder = Decoder()
    examiner = Examiner(decoder)
    before = [NOON - timedelta(days=n + 1) for n in range(len(references))]
    at = [NOON + timedelta(seconds=2 * n) for n in range(len(frames))]

    def full(jpeg: bytes) -> None:
        cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)

    def alone(jpeg: bytes) -> None:
        judge(sight(examiner.examine([jpeg], [], at[:1], [], None), at[:1], []))

    def known(jpeg: bytes) -> None:
        judge(sight(examiner.examine([jpeg], references, at[:1], before, None), at[:1], before))

    def clocked(ahead: timedelta) -> Callable[[bytes], None]:
        """Pictures whose clock is registered, and shows a time that is ``ahead`` of that of capture."""
        taken = {jpeg: [NOON + timedelta(seconds=n) - ahead] for n, jpeg in enumerate(fresh)}

        def work(jpeg: bytes) -> None:
            judge(sight(examiner.examine([jpeg], references, taken[jpeg], before, OSD), taken[jpeg], before))

        return work

    def sequence(_: bytes) -> None:
        judge(sight(examiner.examine(frames, references, at, before, None), at, before))

    def unprepared(jpeg: bytes) -> None:
        found = Examiner(decoder).examine([jpeg], references, at[:1], before, None)
        judge(sight(found, at[:1], before))

    print(f"1080p JPEGs of {len(fresh[0]) // 1000} kB; processor time, median of {TIMES}, ratio to decoding in full")
    whole = _median(full, fresh)
    rows = [
        ("decoded in full", full),
        ("decoded as the judge does", lambda jpeg: decoder(jpeg, 640)),
        ("judged alone", alone),
        (f"judged against {len(references)} references that are ready", known),
        (f"judged against {len(references)} references that are not", unprepared),
        (f"{len(frames)} frames judged against references", sequence),
    ]
    if clocks:
        rows.append(("with a registered clock, against references", clocked(timedelta(0))))
        rows.append(("with one that is an hour ahead", clocked(timedelta(hours=1))))
    for what, work in rows:
        cost = _median(work, fresh)
        print(f"  {what:<48}{1000 * cost:>8.2f} ms{cost / whole:>8.2f}")


def _median(work: Callable[[bytes], object], pictures: Sequence[bytes]) -> float:
    work(pictures[0])
    spent = []
    for picture in pictures:
        begun = time.process_time()
        work(picture)
        spent.append(time.process_time() - begun)
    return statistics.median(spent)


async def _sustained(args: argparse.Namespace, frames: Sequence[bytes], references: Sequence[bytes]) -> str:
    desk = PictureDesk(processes=args.processes)
    await desk.start()
    times = [NOON.isoformat(), *[None] * len(references)]
    view = View((frames[0],), references, times)
    late: list[float] = []
    watch = asyncio.create_task(_watch(late))
    try:
        await asyncio.gather(*(desk.examine(view, 60) for _ in range(args.processes * 2)))
        late.clear()
        begun, spent = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
        asked = []
        while (n := len(asked)) < args.rate * args.seconds:
            await asyncio.sleep(max(0.0, begun + n / args.rate - time.monotonic()))
            asked.append(asyncio.create_task(desk.examine(view, 60)))
        await asyncio.gather(*asked)
        took = time.monotonic() - begun
        own = resource.getrusage(resource.RUSAGE_SELF).ru_utime - spent
        slow = sorted(late)[int(0.99 * len(late))]
    finally:
        watch.cancel()
        await desk.close()
    return (
        f"{len(asked)} pictures at {args.rate:g}/s, {args.processes} processes: {len(asked) / took:.1f}/s done, "
        f"loop late by {1000 * slow:.1f} ms (p99), {1000 * own / len(asked):.2f} ms of our own processor time each"
    )


def _in_service(args: argparse.Namespace) -> str:
    """Pictures of a simulated fleet, none of them accepted as a reference yet."""
    with tempfile.TemporaryDirectory(prefix="camera-registry-bench-") as folder, served(DEVICES, Path(folder)) as fleet:
        pace, seconds = len(fleet.register.channels) / args.rate, args.seconds
        load = whole.Load(ROUND, pace, seconds, rest=ROUND / 2, everywhere=True, decoding=args.processes)
        found = whole.measure(fleet, load, Path(folder))
    pictures = found.polls.get("snapshot", 0)
    spent = found.child * DEVICES * seconds / ROUND / max(1, pictures)
    return (
        f"{pictures / seconds:.1f} pictures/s of {DEVICES} devices beside their other probes, {spent:.1f} ms of "
        f"decoding processes each; {found.missed} runs missed, {found.failed} failed; the service's own "
        f"share of a processor {found.share:.0%}, its loop late by {1000 * found.loop_lag:.0f} ms at most (p99, bucket)"
    )


async def _watch(late: list[float]) -> None:
    while True:
        begun = time.monotonic()
        await asyncio.sleep(TICK)
        late.append(time.monotonic() - begun - TICK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
