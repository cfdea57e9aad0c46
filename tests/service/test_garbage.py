"""What lives long is set aside from the garbage collector, and the process has its own ways back afterwards."""

from __future__ import annotations

import asyncio
import gc

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
    keeping = asyncio.create_task(garbage.keep_house())
    await asyncio.sleep(0.02)
    assert gc.get_freeze_count() > kept
    found: list[int] = []
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
