"""This file writes decisions in one canonical form: the same decision is the same line, byte for byte, whether it was
read from a database or made again from a log.

``LINES`` is the registry: what is decided, in the order in which it is told, and the values of each. When a notice is
due and how it fares is for its receiver to say as well, so it is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Any

from camera_registry.model.health import Flip
from camera_registry.model.incident import Affected, Incident, IncidentChange
from camera_registry.model.notice import Notice
from camera_registry.model.work_order import OrderChange, WorkOrder

Values = dict[str, object]


def _flip(one: Flip) -> Values:
    return asdict(one)


def _incident(one: Incident) -> Values:
    return asdict(one)


def _step(one: Any) -> Values:
    """A step as it stands in a time line: as it was taken, or as a row of one."""
    if not isinstance(one, IncidentChange):
        return _row(one)
    about = one.incident
    mine: Values = {name: getattr(one, name) for name in ("step", "at", "actor", "other", "text")}
    return {**mine, "incident": about.id, "cause": about.cause, "severity": about.severity}


def _order(one: WorkOrder) -> Values:
    return asdict(one)


def _order_step(one: Any) -> Values:
    """The like of a step of a work order."""
    if not isinstance(one, OrderChange):
        return _row(one)
    mine: Values = {name: getattr(one, name) for name in ("step", "at", "actor", "note")}
    return {**mine, "work_order": one.order.id, "state": one.order.state, "details": one.values}


def _row(one: Any) -> Values:
    """A row but for its number, which a database gives."""
    return {name: value for name, value in asdict(one).items() if name != "id"}


def _affected(one: Affected) -> Values:
    return asdict(one)


def _notice(one: Notice) -> Values:
    names = ("key", "channel", "occasion", "incident", "created_at", "grouping", "values")
    return {name: getattr(one, name) for name in names}


LINES: Mapping[str, Callable[[Any], Values]] = {
    "flip": _flip,
    "incident": _incident,
    "step": _step,
    "affected": _affected,
    "order": _order,
    "order_step": _order_step,
    "notice": _notice,
}


def lines(decided: Mapping[str, Iterable[object]]) -> Iterator[str]:
    """Decisions as JSON lines, one kind after the other."""
    for kind, values in LINES.items():
        for one in decided.get(kind, ()):
            yield json.dumps({kind: _plain(values(one))}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: object) -> object:
    """JSON of a value, as a database keeps it: no NUL and no lone surrogate in a text."""
    if isinstance(value, str):
        value = value.value if isinstance(value, StrEnum) else value
        return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
