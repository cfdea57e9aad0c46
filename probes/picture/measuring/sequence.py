"""This file measures what happens between frames of one camera: whether they could come from a live sensor."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import cv2
import numpy as np

from probes.picture.measuring.sheet import Still

_ALIVE, _ENOUGH = 0.5, 0.02
"""Share of such pixels that are the same, below which no sensor has stood still; share of the picture that they must
be, for that to be sure."""


def between(stills: Iterable[Still]) -> dict[str, float]:
    """How alike frames are, in the pair of neighbours that is least alike; as far as must be looked: once two are
    clearly of a live sensor, no more is asked for.

    ``same``: share of pixels that have not changed at all, among those outside burnt-in text where there is texture: a
    sensor's noise changes them, whatever stands still before it. ``told``: share of the picture that such pixels are.
    ``difference``: mean absolute difference there, in levels.
    """
    found = {"same": 1.0, "told": 1.0, "difference": 0.0}
    for before, after in pairwise(stills):
        if before.grey.shape != after.grey.shape:
            return found | {"same": 0.0, "told": 0.0}
        told = before.busy & before.clear & after.clear
        count = int(np.count_nonzero(told))
        found["told"] = min(found["told"], count / told.size)
        if count:
            away = cv2.absdiff(before.grey, after.grey)
            found["same"] = min(found["same"], float(np.count_nonzero(told & (away == 0))) / count)
            found["difference"] = max(found["difference"], cv2.mean(away, told.view(np.uint8))[0])
        if found["same"] < _ALIVE and found["told"] > _ENOUGH:
            break
    return found
