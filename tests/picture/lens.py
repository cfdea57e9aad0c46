"""What an examination finds of a view behind a film of dirt: a real one, with the numbers that dirt changes set."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np

from probes.picture.examination import Decoded, Examiner
from probes.picture.measuring.sheet import Picture
from tests.picture import generated
from tests.picture.camera import Camera, light_of

_TAKEN = datetime(2026, 6, 10, 12, 0, 5)  # noqa: DTZ001 - a camera's local time has no zone


def found(contrast: float, *, baselines: str = "1", taken: str = "2026-07-01T04:00:00+00:00") -> dict[str, Any]:
    """The fact ``sight`` of a picture by day with so much of the accepted picture's contrast."""
    made = deepcopy(_plain())
    (change,) = made["changes"]
    change |= {"structure_high": contrast, "structure": contrast, "gain": 1.0}
    return {**made, "baselines": baselines, "reference_times": [taken]}


def alone() -> dict[str, Any]:
    """The same of a view of which nobody has accepted a picture."""
    made = {name: [] for name in ("references", "changes", "tiles", "reference_times")}
    return {**deepcopy(_plain()), **made, "restless": None, "baselines": ""}


@cache
def _plain() -> dict[str, Any]:
    light = light_of(generated.street(5).pictures[0])
    camera = Camera(clock=False)
    accepted, newest = (camera.take(light, _TAKEN, np.random.default_rng(n)) for n in range(2))
    found, by_itself = (
        Examiner(_opened).examine([newest], known, [_TAKEN], [_TAKEN - timedelta(days=1)] * len(known), None)
        for known in ([accepted], [])
    )
    # The one exposure stands for many, and has every measure, whichever numbers are set.
    return {**found, "frames": by_itself["frames"], "imprint": None}


def _opened(jpeg: bytes, width: int) -> Decoded:
    from probes.picture.child import decode

    picture: Picture = decode(jpeg, width)
    return Decoded(picture, picture.shape[1], 1)
