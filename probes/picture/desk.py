"""This file hands pictures to decoding processes and survives whatever the pictures do to them.

One task owns one process and the pipe to it; callers only put a picture in a bounded queue and wait. So a caller who
goes away never leaves half an answer in a pipe, and a process that crashes or hangs costs the picture it had in hand.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from camera_registry.model.observation import Facts, FailureKind, Stage
from probes.base import NOTHING_REGISTERED, ProbeError, Registered
from probes.picture import frames
from probes.wire.jpeg import PIXEL_LIMIT

log = logging.getLogger(__name__)

MAX_ANSWER = 4 * 2**20
"""Largest frame believed of a decoding process; one that claims more has been taken over or is broken."""
START_SECONDS = 30.0
"""How long a decoding process may take to load its libraries, on a machine that is busy with other things."""
WALL_SECONDS = 20.0
"""How long one picture may occupy a process. Its processor time is limited much lower, in the process itself."""

FIRST_WORD = 0.02
"""Seconds before the caller's deadline at which the desk gives up, so that its reason is told, not just a timeout."""
LAST_SECONDS = 5.0
"""How long a process that has closed its pipe may take to end by itself."""

_TOO_LARGE = f"a picture of more than the {frames.MAX_BYTES} bytes that are looked at"

Measured = tuple[Facts, bytes]


Found = Mapping[str, Any]
"""What an examination found; see ``probes.picture.examination``."""


@dataclass(slots=True, frozen=True)
class View:
    """Pictures of one view: frames, oldest first, and references. Times are local, in ISO 8601, those of the
    frames first. ``osd`` says where a clock is burnt in: {"box": [x, y, w, h], "format": "YYYY-MM-DD HH:MM:SS"}, in
    pixels of the picture or in shares of it. ``masks`` (outlines in shares) are painted over in the small picture and
    not measured, ``blind`` are only not measured.
    ``thumbnail``: how wide a small picture of the newest frame may be, in pixels; 0 for none. ``codec``: that of the
    frames."""

    frames: Sequence[bytes]
    references: Sequence[bytes] = ()
    times: Sequence[str | None] = ()
    osd: Mapping[str, object] | None = None
    masks: Sequence[Sequence[tuple[float, float]]] = ()
    blind: Sequence[Sequence[tuple[float, float]]] = ()
    thumbnail: int = 0
    codec: str = "JPEG"


@dataclass(slots=True, frozen=True)
class _Job:
    request: bytes
    done: asyncio.Future[Measured]


class _Broken(Exception):
    """The process can't be used any more. ``blame`` says whether the picture is the likely reason."""

    def __init__(self, detail: str, *, blame: bool) -> None:
        super().__init__(detail)
        self.blame = blame


class PictureDesk:
    """Measures pictures in processes of their own (``probes.base.Pictures``).

    ``measured`` counts pictures answered for (with facts or a refusal), ``restarts`` processes that had to be
    replaced, ``waiting`` is the length of the queue; ``spent`` is the processor time of comparing pictures, seconds.
    """

    def __init__(self, processes: int = 1, width: int = 640, queue: int = 64) -> None:
        self.measured = 0
        self.restarts = 0
        self.spent = 0.0
        self._width = width
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue(queue)
        self._processes = processes
        self._workers: list[asyncio.Task[None]] = []

    @property
    def waiting(self) -> int:
        return self._jobs.qsize()

    async def start(self) -> None:
        """Begin to work. Processes are started when the first picture comes."""
        self._workers = [asyncio.create_task(self._work(), name=f"pictures-{n}") for n in range(self._processes)]

    async def close(self) -> None:
        """End the processes and fail what still waits."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._workers = []
        while not self._jobs.empty():
            _settle(self._jobs.get_nowait(), _internal("the service is stopping"))

    async def measure(
        self, picture: bytes, timeout: float, codec: str = "JPEG", known: Registered = NOTHING_REGISTERED
    ) -> Measured:
        """Facts by the names of ``measures.measure`` and an evidence thumbnail, within ``timeout`` seconds.

        Raises ProbeError: UNDECODABLE when the picture is at fault, INTERNAL when we are (no answer in time because
        this machine is busy, OpenCV missing), which turns nothing red.
        """
        if len(picture) > frames.MAX_BYTES:
            raise _undecodable(_TOO_LARGE)
        order = {"do": frames.MEASURE, "codec": codec, "masks": known.masks}
        return await self._ask(frames.request(order, (picture,)), timeout)

    async def compare(
        self,
        picture: bytes,
        references: Sequence[bytes],
        timeout: float,
        codec: str = "JPEG",
        known: Registered = NOTHING_REGISTERED,
    ) -> Measured:
        """What ``examine`` finds of one picture against references of its view, with the facts of ``measure`` as
        ``picture``, and the thumbnail. Raises ProbeError like ``measure``: also where the picture can't be read."""
        if len(picture) > frames.MAX_BYTES:
            raise _undecodable(_TOO_LARGE)
        compared = references[: frames.MAX_PICTURES - 1]
        view = View(
            (picture,), compared, known.times, known.osd, known.masks, known.blind, thumbnail=self._width, codec=codec
        )
        found, thumbnail = await self.examine(view, timeout)
        refused = found["frames"][-1].get("refused")
        if refused is not None:
            raise _undecodable(refused)
        return found, thumbnail

    async def examine(self, view: View, timeout: float) -> tuple[Found, bytes]:
        """Measures of each frame and reference of a view (or why it was refused), and what lies between them; and the
        newest frame as a thumbnail, empty where none was asked for or it could not be read.

        Raises ProbeError like ``measure``: UNDECODABLE when a picture has brought the process down.
        """
        pictures = [*view.frames, *view.references]
        if len(pictures) > frames.MAX_PICTURES:
            raise _undecodable(f"{len(pictures)} pictures are more than the {frames.MAX_PICTURES} looked at together")
        order = {
            "do": frames.EXAMINE,
            "frames": len(view.frames),
            "times": [*view.times, *[None] * (len(pictures) - len(view.times))],
            "osd": view.osd,
            "masks": view.masks,
            "blind": view.blind,
            "thumbnail": view.thumbnail,
            "codec": view.codec,
        }
        # One that is too large is sent as nothing.
        sent = [picture if len(picture) <= frames.MAX_BYTES else b"" for picture in pictures]
        facts, thumbnail = await self._ask(frames.request(order, sent), timeout)
        found: Found = facts
        for picture, told in zip(pictures, (*found["frames"], *found["references"]), strict=True):
            if len(picture) > frames.MAX_BYTES:
                told["refused"] = _TOO_LARGE
        took = (found[name] for name in ("reference_seconds", "cpu_seconds"))
        self.spent += sum(seconds for seconds in took if isinstance(seconds, float))
        return found, thumbnail

    async def mask(self, kept: bytes, masks: Sequence[Sequence[tuple[float, float]]], timeout: float) -> bytes:
        """A picture that is kept, with these outlines (in shares) painted over. Raises ProbeError like ``measure``."""
        return (await self._ask(frames.request({"do": frames.MASK, "masks": masks}, (kept,)), timeout))[1]

    async def renew(self, photograph: bytes, side: int, timeout: float) -> Measured:
        """A person's photograph anew: ``width`` and ``height`` of it, and the JPEG, upright, its longest side at most
        ``side`` pixels, with nothing in it but the picture. Raises ProbeError like ``measure``."""
        if len(photograph) > frames.MAX_BYTES:
            raise _undecodable(_TOO_LARGE)
        return await self._ask(frames.request({"do": frames.RENEW, "side": side}, (photograph,)), timeout)

    async def _ask(self, request: bytes, timeout: float) -> Measured:
        job = _Job(request, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(max(0.0, timeout - FIRST_WORD)):
                await self._jobs.put(job)
                return await job.done
        except TimeoutError as error:
            raise ProbeError.told(FailureKind.INTERNAL, Stage.DECODE, "unmeasured", seconds=f"{timeout:.3g}") from error
        finally:
            job.done.cancel()

    async def _work(self) -> None:
        process: Process | None = None
        job: _Job | None = None
        try:
            while True:
                job = await self._jobs.get()
                if job.done.done():
                    continue
                try:
                    if process is None:
                        process = await self._spawn()
                    outcome: Measured | ProbeError = await _exchange(process, job.request)
                except _Broken as broken:
                    log.warning("a decoding process is replaced: %s", broken)
                    self.restarts += 1
                    await _end(process)
                    process = None
                    outcome = _undecodable(str(broken)) if broken.blame else _internal(str(broken))
                self.measured += 1
                _settle(job, outcome)
        finally:
            if job is not None:
                _settle(job, _internal("the service is stopping"))
            await _end(process)

    async def _spawn(self) -> Process:
        """Start a process and wait until it is ready. Raises _Broken."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "probes.picture.child",
                str(self._width),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,  # the decoder's own grumbling; what matters comes as an answer
                start_new_session=True,  # Ctrl-C is for the service, which closes its processes in order
                env=_environment(),
            )
        except OSError as error:
            raise _Broken(f"no decoding process can be started: {error}", blame=False) from error
        try:
            async with asyncio.timeout(START_SECONDS):
                await _read_answer(process)
        except (asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
            await _end(process)
            raise _Broken(
                f"a decoding process does not start (exit code {process.returncode}); "
                "`python -m probes.picture.child 640 < /dev/null` says why",
                blame=False,
            ) from error
        except asyncio.CancelledError:
            await _end(process)
            raise
        return process


def _settle(job: _Job, outcome: Measured | ProbeError) -> None:
    """Tell the caller, unless they have gone."""
    if job.done.done():
        return
    if isinstance(outcome, ProbeError):
        job.done.set_exception(outcome)
    else:
        job.done.set_result(outcome)


async def _exchange(process: Process, request: bytes) -> Measured | ProbeError:
    """Send one request and read its answer. Raises _Broken when the process can't be trusted with another."""
    assert process.stdin is not None
    try:
        async with asyncio.timeout(WALL_SECONDS):
            process.stdin.write(request)
            await process.stdin.drain()
            told, thumbnail = await _read_answer(process)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        # It is dying: killed now, it would take with it what it died of.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), LAST_SECONDS)
        # No limit of ours kills a process: somebody did, or this machine has no memory left.
        blame = process.returncode != -signal.SIGKILL
        raise _Broken(_obituary(process.returncode), blame=blame) from error
    except TimeoutError as error:
        # Processor time ends sooner than this in the process itself: who waits so long was not given any.
        raise _Broken(f"a decoding process was not done within {WALL_SECONDS:g} s", blame=False) from error
    except ValueError as error:
        raise _Broken(f"the answer of a decoding process makes no sense ({error})", blame=True) from error
    if "refused" in told:
        return _undecodable(str(told["refused"]))
    facts = told.get("facts")
    if not isinstance(facts, dict):
        raise _Broken("the answer of a decoding process makes no sense (no facts)", blame=True)
    return facts, thumbnail


async def _read_answer(process: Process) -> tuple[dict[str, object], bytes]:
    """Raises IncompleteReadError when the process is gone, ValueError when it talks nonsense."""
    told = json.loads(await _read_frame(process))
    thumbnail = await _read_frame(process)
    if not isinstance(told, dict):
        raise ValueError("not an object")  # noqa: TRY004 - it is a wrong value on the wire, like JSON's own error
    return told, thumbnail


async def _read_frame(process: Process) -> bytes:
    assert process.stdout is not None
    length = int.from_bytes(await process.stdout.readexactly(frames.LENGTH), "big")
    if length > MAX_ANSWER:
        raise ValueError(f"a frame of {length} bytes")
    return await process.stdout.readexactly(length)


async def _end(process: Process | None) -> None:
    """Kill a process, if it still lives, and take its leave: pipes closed, exit code read."""
    if process is None:
        return
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    if process.stdin is not None:
        process.stdin.close()
        with contextlib.suppress(ConnectionError):
            await process.stdin.wait_closed()
    if process.stdout is not None:
        with contextlib.suppress(ConnectionError):
            await process.stdout.read()
    await process.wait()


def _obituary(code: int | None) -> str:
    if code == -signal.SIGPROF:
        return "decoding it took more processor time than a picture may have"
    if code == -signal.SIGKILL:
        return "the decoding process was killed: the system's log says whether this machine ran out of memory"
    if code is not None and code < 0:
        return f"the decoder crashed on it ({signal.Signals(-code).name})"
    return f"the decoder ended on it (exit code {code})"


def _undecodable(detail: str) -> ProbeError:
    return ProbeError(FailureKind.UNDECODABLE, Stage.DECODE, f"the picture can't be used: {detail}")


def _internal(detail: str) -> ProbeError:
    return ProbeError(FailureKind.INTERNAL, Stage.DECODE, detail)


def _environment() -> dict[str, str]:
    """What a decoding process may know: where Python is and its limits; no secret of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
    return kept | {
        "OPENCV_IO_MAX_IMAGE_PIXELS": str(PIXEL_LIMIT),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
