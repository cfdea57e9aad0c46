"""This file keeps Python's garbage collector from stopping the loop: what lives long is not looked through again.

A fleet of 11,000 devices is a million objects that stay. A full collection walks through all of them, with everything
else standing still for some tenths of a second; nearly all that dies here is freed by its count of references anyway.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

EVERY = 60.0
"""Seconds after which what lives by then is set aside."""
ROUNDS = 60
"""Rounds after which all of it is looked through once nevertheless: rings that died among what was set aside."""

_OFTEN, _SELDOM, _NEVER = 5_000, 10, 1_000_000
"""Objects that begin a collection of the youngest, such collections that begin one of the next, and one of all."""


_ARENA_MAX = -8
"""Of mallopt(3), M_ARENA_MAX."""
_ARENAS = 2


def share_stocks() -> None:
    """Let all threads take memory from two stocks, where the C library is glibc. It would make one for each thread, and
    what one has freed is of no use to another: a tenth of a service's memory. To be called before threads begin."""
    adjust = getattr(ctypes.CDLL(None), "mallopt", None)
    if adjust is not None:
        adjust(_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return to the system what the C library has kept of freed memory, where it is glibc: after the first round that
    is a third of all."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


@contextmanager
def seldom() -> Iterator[None]:
    """Never look through all there is of itself. It changes the collector of the whole process, so it is for a process
    that is a service and nothing else; from its beginning on, for what it takes up at its start stays: looked through
    again and again while it grows, that takes a fifth of the start of a city."""
    before = gc.get_threshold()
    gc.set_threshold(_OFTEN, _SELDOM, _NEVER)
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


async def keep_house() -> None:
    """Collect and set aside, until cancelled. What was made until now is set aside as it is: there are few rings in
    it."""
    while True:
        for _ in range(ROUNDS):
            gc.collect(1)
            gc.freeze()
            await asyncio.to_thread(give_back)
            await asyncio.sleep(EVERY)
        gc.unfreeze()
        gc.collect()
