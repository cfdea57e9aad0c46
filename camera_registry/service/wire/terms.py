"""What the service and a process that polls for it tell each other, besides roster and observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from camera_registry.model.people import Credential
from camera_registry.service.polling import Conditions


@dataclass(frozen=True, slots=True)
class Setup:
    """The first message, ``setup``: what does not change while the process lives. ``level`` and ``format`` are those of
    the logs; ``width`` is that of small pictures, in pixels; ``auth_quiet`` is seconds."""

    conditions: Conditions
    auth_quiet: float
    picture_processes: int
    width: int
    level: str
    format: str


@dataclass(frozen=True, slots=True)
class Status:
    """How such a process fares, told as ``status`` every moment. ``turned``: seconds since the loop that begins runs
    has turned; ``lags``: of its event loop, seconds. What is counted is what was added since the last one."""

    slots_used: int = 0
    room: int = 0
    tasks: int = 0
    turned: float = 0.0
    lags: Sequence[float] = ()
    missed: Mapping[str, int] = field(default_factory=dict)
    pictures_waiting: int = 0
    pictures: int = 0
    picture_restarts: int = 0
    picture_seconds: float = 0.0


_SETUP = TypeAdapter(Setup)
_STATUS = TypeAdapter(Status)
_CONDITIONS = TypeAdapter(Conditions)
_CREDENTIALS = TypeAdapter(dict[str, Credential | None])


def setup(body: Any) -> Setup:
    """Raises ValueError, like all of these."""
    return _SETUP.validate_python(body)


def status(body: Any) -> Status:
    """How a process fares."""
    return _STATUS.validate_python(body)


def conditions(body: Any) -> Conditions:
    """What a poller may do from now on."""
    return _CONDITIONS.validate_python(body)


def credentials(body: Any) -> dict[str, Credential | None]:
    """Credentials that are new or others now; None: there is none any more."""
    return _CREDENTIALS.validate_python(body)
