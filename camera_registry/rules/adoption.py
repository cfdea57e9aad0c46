"""This file decides what the register takes over from a device: only what people left empty."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from camera_registry.model.device import Device
from camera_registry.model.observation import Facts

FIELDS = ("manufacturer", "model", "serial", "firmware", "mac")
"""Fields of a device file that a device can tell by itself."""


def adopt(device: Device, facts: Facts) -> Device | None:
    """``device`` with its empty fields filled by ``facts``; None when there is nothing to fill.

    What people wrote stands, and a difference to it is a fault of identity. Adopting the first answer is what makes a
    unit that was swapped without a word stand out later.
    """
    told: dict[str, Any] = {
        name: value
        for name in FIELDS
        if not getattr(device, name) and isinstance(value := facts.get(name), str) and value
    }
    return replace(device, **told) if told else None
