"""What lives long is set aside from the garbage collector, and the process has its own ways back afterwards."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from pathlib import Path

import pytest

from camera_registry.service import garbage


class Ring:
    """Refers to itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


async def test_what_lives_is_set_aside_and_rings_that_died_since_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "EVERY", 0.01)
    monkeypatch.setattr(garbage, "ROUNDS", 3)
    before = gc.get_threshold()
    ring = Ring()
    kept = gc.get_freeze_count()
    found: list[int] = []
    with garbage.seldom():
        keeping = asyncio.create_task(garbage.keep_house())
        await asyncio.sleep(0.02)
        assert gc.get_freeze_count() > kept
        gc.callbacks.append(lambda phase, info: found.append(info["collected"]) if info["generation"] == 2 else None)
        try:
            del ring
            await asyncio.sleep(0.3)
        finally:
            gc.callbacks.pop()
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
    assert sum(found) >= 1
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


_STOCKS = """
import ctypes, sys, threading
from camera_registry.service import garbage
if sys.argv[2] == "shared":
    garbage.share_stocks()
gate = threading.Barrier(9)
def work():
    kept = bytearray(100_000)
    gate.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for one in threads:
    one.start()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
gate.wait()
"""


@pytest.mark.parametrize(("how", "few"), [("shared", True), ("apart", False)])
def test_threads_take_memory_from_two_stocks(tmp_path: Path, how: str, few: bool) -> None:
    told = tmp_path / "malloc.xml"
    subprocess.run([sys.executable, "-c", _STOCKS, told, how], check=True, timeout=50)
    assert (told.read_text().count("<heap nr=") <= 2) is few
