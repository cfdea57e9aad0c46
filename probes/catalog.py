"""The catalogue of probes: a name to a module, imported when first used, so a poller without OpenCV still runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import cast

from camera_registry.model.observation import Facts
from camera_registry.model.probe import PROBES
from camera_registry.model.roster import Target
from probes.base import Context, Probe


@cache
def load(name: str) -> Probe:
    """The probe of this name; it is looked up and imported when it first runs, so that one which is unknown or can't be
    imported here is a failed run and not a dead poller."""

    async def probe(target: Target, options: Mapping[str, object], context: Context) -> Facts:
        return await _find(name)(target, options, context)

    return probe


@cache
def _find(name: str) -> Probe:
    """The probe itself. What fails is not remembered, and tried again by the next run."""
    return cast("Probe", import_module(PROBES[name].module).probe)
