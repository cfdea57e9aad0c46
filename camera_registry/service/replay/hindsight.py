"""This file tells what another policy would have decided: what is fewer, what is more, and of which incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from camera_registry.model.incident import Incident

Decided = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Hindsight:
    """``counts``: by kind, how many there were and how many there would have been. ``spared`` are incidents that would
    not have been, ``added`` those that would have been besides, ``other`` pairs of what differs in when it was opened,
    when it ended, or how bad it was."""

    counts: Mapping[str, tuple[int, int]]
    spared: tuple[Incident, ...]
    added: tuple[Incident, ...]
    other: tuple[tuple[Incident, Incident], ...]


def compare(was: Decided, would: Decided) -> Hindsight:
    """What differs. An incident is the same one if it is about the same thing, with the same cause, since the same
    time."""
    before, after = _incidents(was), _incidents(would)
    return Hindsight(
        {kind: (len(was[kind]), len(would[kind])) for kind in was},
        tuple(one for key, one in before.items() if key not in after),
        tuple(one for key, one in after.items() if key not in before),
        tuple((one, after[key]) for key, one in before.items() if key in after and _shown(one) != _shown(after[key])),
    )


def _incidents(decided: Decided) -> dict[tuple[str, str, str, datetime], Incident]:
    return {(one.scope, one.about, one.cause, one.started): one for one in decided["incident"]}


def _shown(incident: Incident) -> tuple[object, ...]:
    return incident.opened_at, incident.ended, incident.severity, incident.muted
