"""The event loop that the processes of the service run on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any

from camera_registry.service import garbage


def run(main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run a coroutine to its end: on uvloop, or on the stock loop where that does not install."""
    garbage.share_stocks()
    try:
        # Not above: commands that only read a file need none of it.
        new_loop = import_module("uvloop").new_event_loop
    except ImportError:
        new_loop = None
    with garbage.seldom(), asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(main())
