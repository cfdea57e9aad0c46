"""This file decides what the register takes over from a device: only what people left empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from camera_registry.model.device import Device, TlsUse
from camera_registry.model.observation import Facts

FIELDS = ("manufacturer", "model", "serial", "firmware", "mac")
"""Fields of a device file that a device can tell by itself, by the names that facts have too."""


def adopt(device: Device, facts: Facts) -> Device | None:
    """``device`` with its empty fields filled by ``facts``; None when there is nothing to fill.

    What people wrote stands, and a difference to it is a fault of identity. Adopting the first answer is what makes a
    unit that was swapped without a word stand out later. Its certificate is adopted where it will be held to it.
    """
    told: dict[str, Any] = {
        name: value
        for name in FIELDS
        if not getattr(device, name) and isinstance(value := facts.get(name), str) and value
    }
    certificate = facts.get("certificate")
    if not device.certificate and device.tls is not TlsUse.ANY and isinstance(certificate, Mapping):
        told["certificate"] = certificate["fingerprint"]
    return replace(device, **told) if told else None
