"""This file turns proposals into rows of an inventory: accepting one is an import of its row, by the same rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from camera_registry.model.device import Kind
from camera_registry.model.discovery import Proposal, ProposalKind
from camera_registry.rules.inventory.sheets import CLEAR, Cell, Mark, Sheet

CHOSEN = ("id", "name", "kind", "area", "life", "credential")
"""What a person may decide when accepting a new unit."""

_PLAIN = re.compile(r"[\w.-]{4,64}")
_PORTS = ("onvif_port", "rtsp_port", "http_port")
_UNIT = ("manufacturer", "model", "serial", "firmware", "mac")
"""Fields of a device file that belong to the unit, and not to its place."""


def suggested_id(proposal: Proposal) -> str:
    """The id of the registered device; for a new one what is its own, until people give it their code."""
    if proposal.device:
        return proposal.device
    said = _said(proposal)
    mac = str(said.get("mac", "")).replace(":", "")
    candidates = (str(said.get("serial", "")), mac, proposal.address.replace(":", "-"))
    return next((one for one in candidates if _PLAIN.fullmatch(one)), candidates[-1])


def row(proposal: Proposal, chosen: Mapping[str, str] | None = None) -> dict[str, Cell]:
    """Field to value of the device file. ``chosen`` (CHOSEN) goes before what is suggested; empty values do not."""
    said = _said(proposal)
    unit: dict[str, Cell] = {name: _text(said.get(name)) for name in _UNIT}
    unit["model"] = unit["model"] or _text(said.get("hardware"))
    values: dict[str, Cell] = {"id": suggested_id(proposal)}
    match proposal.kind:
        case ProposalKind.NEW:
            values |= {"kind": Kind.CAMERA.value, "name": _text(said.get("name")), "host": proposal.address}
            values |= {name: _number(said.get(name)) for name in _PORTS}
            values |= {"onvif_path": _text(said.get("onvif_path"))} | unit
            values |= {name: value for name, value in (chosen or {}).items() if name in CHOSEN and value}
        case ProposalKind.MOVED:
            # A port that did not answer today is not gone: only those that did are taken over.
            values["host"] = proposal.address
            values |= {name: port for name in _PORTS if (port := _number(said.get(name)))}
        case ProposalKind.REPLACED:
            # What the new unit does not say must not stay as the old one's.
            values |= {name: value or Mark(CLEAR) for name, value in unit.items()}
    return values


def sheet(proposals: Iterable[Proposal]) -> Sheet:
    """All of them as one inventory, which an import takes."""
    rows = [row(one) for one in proposals]
    columns = list(dict.fromkeys(name for one in rows for name in one)) or ["id", "host"]
    return Sheet("", [["record", *columns], *(["device", *(one.get(name, "") for name in columns)] for one in rows)])


def one_sheet(proposal: Proposal, chosen: Mapping[str, str] | None = None) -> Sheet:
    """One of them, with a person's decisions."""
    values = row(proposal, chosen)
    return Sheet("", [["record", *values], ["device", *values.values()]])


def _said(proposal: Proposal) -> Mapping[str, object]:
    return proposal.evidence_of("said")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
