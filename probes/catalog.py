"""The catalogue of probes: a name to a module, imported when first used, so a poller without OpenCV still runs."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from probes.base import Probe

MODULES = {
    "tcp": "probes.tcp",
    "onvif": "probes.onvif",
    "rtsp": "probes.rtsp",
    "snapshot": "probes.snapshot",
}


@cache
def load(name: str) -> Probe:
    """The probe of this name. Raises KeyError for a name that is not in the catalogue."""
    return cast("Probe", import_module(MODULES[name]).probe)
