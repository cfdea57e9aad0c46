"""The desk gives facts of good pictures and outlives bad ones."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from camera_registry.model.observation import FailureKind, Stage
from probes.base import ProbeError
from probes.picture import frames
from probes.picture.desk import PictureDesk
from tests.hostile.pictures import png_bomb
from tests.picture import scenes

PATIENCE = 40.0
"""Seconds; a busy machine takes a while to load OpenCV."""

STREET = scenes.jpeg(scenes.seen(scenes.street()))


@pytest.fixture
async def desk() -> AsyncIterator[PictureDesk]:
    desk = PictureDesk()
    await desk.start()
    yield desk
    await desk.close()


def claiming(jpeg: bytes, width: int, height: int) -> bytes:
    """The JPEG with another size in its header."""
    at = jpeg.index(b"\xff\xc0")
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


def scan_bomb() -> bytes:
    """A progressive JPEG that repaints its 36 megapixels a hundred thousand times, 82 bytes each."""
    written, coded = cv2.imencode(".jpg", np.full((6000, 6000, 3), 120, np.uint8), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1))
    assert written
    jpeg = coded.tobytes()
    scan = jpeg[jpeg.rindex(b"\xff\xc4") : -2]
    return jpeg[:-2] + scan * ((frames.MAX_BYTES - len(jpeg)) // len(scan)) + jpeg[-2:]


HOSTILE = {
    "nothing": (b"", "empty"),
    "a web page": (b"<html><body>Login required</body></html>", "not a JPEG"),
    "a PNG bomb": (png_bomb(30_000), "not a JPEG"),
    "noise": (bytes(range(256)) * 40, "not a JPEG"),
    "a start mark alone": (b"\xff\xd8", "without a picture size"),
    "half a picture": (STREET[: len(STREET) // 2], "cut off"),
    "a picture without its end": (STREET[:-2], "cut off"),
    "a header of 30,000 x 30,000": (claiming(STREET, 30_000, 30_000), "megapixels"),
    "no size": (claiming(STREET, 0, 0), "without width or height"),
    "a damaged header": (STREET[:40] + b"\x00" * 400 + STREET[440:], "marker should be"),
    "nine megabytes": (STREET + b"\x00" * 9 * 2**20, "more than"),
}


async def test_a_picture_gives_facts_by_the_names_that_policy_reads_and_a_small_evidence_picture(
    desk: PictureDesk,
) -> None:
    facts, evidence = await desk.measure(STREET, PATIENCE)
    assert {"luma_p95", "flat_share", "mean_luma", "deviation"} <= set(facts)
    assert all(isinstance(value, int | float) for value in facts.values())
    assert evidence.startswith(b"\xff\xd8")
    assert len(evidence) < len(STREET)
    assert (desk.measured, desk.restarts) == (1, 0)


async def test_every_hostile_picture_is_undecodable_says_why_and_hurts_nobody(desk: PictureDesk) -> None:
    for picture, reason in HOSTILE.values():
        with pytest.raises(ProbeError, match=reason) as caught:
            await desk.measure(picture, PATIENCE)
        assert (caught.value.kind, caught.value.stage) == (FailureKind.UNDECODABLE, Stage.DECODE)
    facts, _ = await desk.measure(STREET, PATIENCE)
    assert facts["mean_luma"]
    assert desk.restarts == 0


async def test_a_process_that_dies_costs_one_picture_and_is_replaced(desk: PictureDesk) -> None:
    await desk.measure(STREET, PATIENCE)
    child = children()[0]
    os.kill(child, signal.SIGSTOP)
    waiting = asyncio.create_task(desk.measure(STREET, PATIENCE))
    await asyncio.sleep(0.05)
    os.kill(child, signal.SIGSEGV)
    os.kill(child, signal.SIGCONT)
    with pytest.raises(ProbeError, match="SIGSEGV") as caught:
        await waiting
    assert caught.value.kind is FailureKind.UNDECODABLE
    await desk.measure(STREET, PATIENCE)
    assert desk.restarts == 1


async def test_a_process_that_is_killed_from_outside_blames_no_camera(desk: PictureDesk) -> None:
    await desk.measure(STREET, PATIENCE)
    child = children()[0]
    os.kill(child, signal.SIGSTOP)
    waiting = asyncio.create_task(desk.measure(STREET, PATIENCE))
    await asyncio.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    with pytest.raises(ProbeError, match="was killed") as caught:
        await waiting
    assert caught.value.kind is FailureKind.INTERNAL
    await desk.measure(STREET, PATIENCE)
    assert desk.restarts == 1


async def test_a_picture_that_takes_for_ever_to_decode_is_given_up(
    desk: PictureDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Processor time ends it, however little of that there is in a second.
    monkeypatch.setattr("probes.picture.desk.WALL_SECONDS", PATIENCE)
    with pytest.raises(ProbeError, match="processor time") as caught:
        await desk.measure(scan_bomb(), PATIENCE)
    assert caught.value.kind is FailureKind.UNDECODABLE
    await desk.measure(STREET, PATIENCE)
    assert desk.restarts == 1


async def test_a_process_that_is_given_no_time_blames_this_machine_and_not_the_camera(
    desk: PictureDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.measure(STREET, PATIENCE)
    monkeypatch.setattr("probes.picture.desk.WALL_SECONDS", 0.5)
    os.kill(children()[0], signal.SIGSTOP)
    with pytest.raises(ProbeError) as caught:
        await desk.measure(STREET, 0.1)
    assert caught.value.kind is FailureKind.INTERNAL
    monkeypatch.setattr("probes.picture.desk.WALL_SECONDS", PATIENCE)
    await desk.measure(STREET, PATIENCE)
    assert desk.restarts == 1


async def test_callers_who_go_away_leave_the_answers_of_others_in_order(desk: PictureDesk) -> None:
    """Each picture has a brightness of its own, so an answer that reaches the wrong caller shows."""
    levels = range(20, 240, 10)
    pictures = {level: scenes.jpeg(scenes.plain(level, level, level), width=320) for level in levels}
    asked = {level: asyncio.create_task(desk.measure(picture, PATIENCE)) for level, picture in pictures.items()}
    await asyncio.sleep(0)
    for level in list(levels)[::3]:
        asked[level].cancel()
    await asyncio.sleep(0.01)
    asked[50].cancel()
    for level, task in asked.items():
        if task.cancelling():
            continue
        facts, _ = await task
        assert facts["mean_luma"] == pytest.approx(level, abs=1)


async def test_closing_ends_the_processes_and_answers_who_still_waits() -> None:
    desk = PictureDesk(processes=2)
    await desk.start()
    asked = [asyncio.create_task(desk.measure(STREET, PATIENCE)) for _ in range(6)]
    await asyncio.sleep(0.05)
    await desk.close()
    for outcome in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(outcome, tuple) or (isinstance(outcome, ProbeError) and outcome.kind is FailureKind.INTERNAL)
    assert children() == []


async def test_a_decoding_process_sees_no_secret_of_ours(desk: PictureDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMERA_REGISTRY_PASSWORD", "canary-4711")
    await desk.measure(STREET, PATIENCE)
    assert b"canary-4711" not in told_by_kernel("environ")


async def test_a_decoding_process_has_little_memory_and_no_files(desk: PictureDesk) -> None:
    await desk.measure(STREET, PATIENCE)
    limits = told_by_kernel("limits").decode().splitlines()
    soft = {line[:26].strip(): line[26:47].strip() for line in limits}
    assert int(soft["Max address space"]) < 2 * 2**30
    assert soft["Max file size"] == "0"


async def test_what_earlier_pictures_took_is_not_charged_to_the_next(desk: PictureDesk) -> None:
    """A limit on all that a process has ever used would, by a clock that runs a little fast, end it in the middle."""
    await desk.measure(STREET, PATIENCE)
    limits = told_by_kernel("limits").decode().splitlines()
    assert next(line[26:47].strip() for line in limits if line.startswith("Max cpu time")) == "unlimited"


def test_a_cut_frame_reads_as_the_end_of_the_stream(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    path.write_bytes(frames.frame(b"one") + frames.frame(b"two")[:-1])
    with path.open("rb") as source:
        assert frames.read(source) == b"one"
        assert frames.read(source) is None


def told_by_kernel(file: str) -> bytes:
    return Path(f"/proc/{children()[0]}/{file}").read_bytes()


def children() -> list[int]:
    """Living decoding processes of this test process."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"probes.picture.child" in command:
                found.append(int(pid))
    return found
