"""This file starts programs for the benchmarks, keeps them on their own processor, and reads what they used."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_OURS = frozenset(os.sched_getaffinity(0))
_POLLS = b"camera_registry.service.wire.child"
STOP_SECONDS = 15.0


class BenchError(Exception):
    """The benchmark can't go on; the message says why."""


def own_processor() -> int:
    """The processor that what is measured runs on."""
    return min(_OURS)


def other_processor() -> int:
    """The processor that everything else runs on: another one, where there is one."""
    return max(_OURS)


def all_processors() -> frozenset[int]:
    """Those that the benchmarks were given, whatever they have bound themselves to since."""
    return _OURS


@contextmanager
def program(arguments: list[str], processors: Iterable[int], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`camera-registry` with these arguments, on these processors, with its output in ``log``; stopped on leaving."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "camera_registry", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_installed(),
        )
    try:
        os.sched_setaffinity(process.pid, processors)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _installed() -> dict[str, str]:
    """The environment of a program that finds its modules compiled, as one that is installed does, whatever is set here
    and whether the checkout may be written to."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / f"camera-registry-bench-{os.getuid()}")}


def wait_for(process: subprocess.Popen[bytes], text: str, log: Path, seconds: float) -> None:
    """Wait until the program has written ``text``. Raises BenchError when it ends or takes too long."""
    until = time.monotonic() + seconds
    while text not in (written := log.read_text(encoding="utf-8", errors="replace")):
        if process.poll() is not None:
            raise BenchError(f"a program ended with exit code {process.returncode}:\n{written[-2000:]}")
        if time.monotonic() > until:
            raise BenchError(f"a program was not ready after {seconds:g} s:\n{written[-2000:]}")
        time.sleep(0.05)


def run(arguments: list[str]) -> float:
    """Run `camera-registry` to its end; seconds it took. Raises BenchError when it fails."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "camera_registry", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env=_installed(),
    )
    if done.returncode:
        raise BenchError(f"`camera-registry {' '.join(arguments)}` failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return time.monotonic() - begun


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, without its children (user and system)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def children(pid: int) -> list[int]:
    """Living child processes."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (thread / "children").read_text().split())
    return found


def children_cpu_seconds(pid: int) -> float:
    """Processor time of a process's children: those that live, and those that ended and were waited for.

    A decoding process may be replaced at any moment; what it used is then in its parent's account (proc(5), cutime).
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    used = (int(fields[13]) + int(fields[14])) / _TICK
    for child in children(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            used += cpu_seconds(child)
    return used


def polling_processes(pid: int) -> list[int]:
    """Those children of a service that poll for it; what decodes for them are their children."""
    found: list[int] = []
    for child in children(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if _POLLS in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(child)
    return found


def resident_megabytes(pid: int) -> float:
    """Memory in use."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
