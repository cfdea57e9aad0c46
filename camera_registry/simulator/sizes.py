"""The sizes of simulated streams and pictures."""

from __future__ import annotations

from collections.abc import Mapping

SIZES: Mapping[int, tuple[int, int]] = {1: (640, 360), 2: (320, 180)}
"""Stream (1: main, 2: sub) to width and height in pixels."""
FRAME_RATE = 15
"""Pictures a second, and pictures from one key frame to the next."""
