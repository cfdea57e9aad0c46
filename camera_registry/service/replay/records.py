"""This file holds what an observation log is made of: one record for each thing that reached the ledger or the
casebook, in the order in which it did.

A line is a JSON object: ``n`` (grows by one), ``at`` (the time that was given to the rules), and one more name, the
kind of the record, with its values. The first line of each file says which format it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, get_args

import orjson
from pydantic import TypeAdapter, ValidationError

from camera_registry.model.dispatch import DispatchPolicy
from camera_registry.model.health import AspectState
from camera_registry.model.incident import Affected, Incident, IncidentChange
from camera_registry.model.maintenance import Window
from camera_registry.model.notice import Audience
from camera_registry.model.observation import Observation, ProbeSeen
from camera_registry.model.policy import IncidentPolicy, Policies, PollPolicy
from camera_registry.model.register import Register
from camera_registry.model.work_order import OrderChange, WorkOrder
from camera_registry.service.memory import OfBooks, OfLedger, Part

FORMAT = 1
"""Grows with each change after which older logs can't be read."""

WHAT = "camera-registry observations"


@dataclass(frozen=True, slots=True)
class Ruled:
    """The policies by which is judged from now on."""

    health: Policies
    polls: PollPolicy
    incidents: IncidentPolicy
    poller: str
    zone: str = "UTC"
    """That of the cameras' local time."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """Whom notices are owed to from now on."""

    audiences: tuple[Audience, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """The service began with what the store had kept. ``kept`` is the ``n`` of the last record whose consequences the
    store has (0: it has run without a log), ``newest`` the number of the newest row of each kind that has numbers."""

    ruled: Ruled
    audiences: tuple[Audience, ...]
    states: tuple[AspectState, ...]
    seen: tuple[tuple[str, ProbeSeen], ...]
    incidents: tuple[Incident, ...]
    affected: tuple[Affected, ...]
    last_id: int
    orders: tuple[WorkOrder, ...]
    last_order: int
    kept: int
    newest: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything that decisions depend on, as it was after record ``n``; its lists follow, in records of their own.
    ``told``: which channels had been told of which open incidents; ``newest`` as in ``Started``."""

    ruled: Ruled
    dispatch: DispatchPolicy
    audiences: tuple[Audience, ...]
    canaries: tuple[str, ...]
    ledger: OfLedger
    books: OfBooks
    told: tuple[tuple[str, int], ...]
    newest: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Remembered:
    """A part of the lists of a checkpoint. ``last``: it is whole now."""

    part: Part
    last: bool = False


@dataclass(frozen=True, slots=True)
class Followed:
    """The register (what was put into it or edited since the last such record, and what was taken out, by kind),
    planned work and policy as they are now."""

    put: Register
    gone: Mapping[str, tuple[str, ...]]
    windows: tuple[Window, ...]
    incidents: IncidentPolicy
    dispatch: DispatchPolicy
    canaries: tuple[str, ...]
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """Observations, in the order in which they came; without their pictures, on which nothing is decided."""

    seen: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time passed for one of ``share`` parts of the devices."""

    share: int


@dataclass(frozen=True, slots=True)
class Shifted:
    """The clock was set by ``step``."""

    step: timedelta


@dataclass(frozen=True, slots=True)
class Taken:
    """What had changed was taken to be stored, and its flips were folded."""


@dataclass(frozen=True, slots=True)
class Edited:
    """Somebody did something to an incident. ``open``: to one that is not over."""

    step: IncidentChange
    open: bool = True


@dataclass(frozen=True, slots=True)
class Ordered:
    """Somebody did something to a work order. ``follows``: it may still change by itself afterwards."""

    step: OrderChange
    follows: bool


@dataclass(frozen=True, slots=True)
class Told:
    """Which channels had been told of which incidents when notices were to be owed for record ``of``."""

    of: int
    pairs: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """The store did not take what record ``of`` led to."""

    of: int


@dataclass(frozen=True, slots=True)
class Lost:
    """So many records before this one could not be written."""

    records: int
    why: str = field(default="")


Record = (
    Ruled
    | Addressed
    | Started
    | Checkpoint
    | Remembered
    | Followed
    | Judged
    | Ticked
    | Shifted
    | Taken
    | Edited
    | Ordered
    | Told
    | Failed
    | Lost
)

KINDS: Mapping[str, type[Record]] = {kind.__name__.lower(): kind for kind in get_args(Record)}


@dataclass(frozen=True, slots=True)
class Line:
    """One record with its number and the time that was given to the rules."""

    n: int
    at: datetime
    record: Record


def header(program: str) -> bytes:
    """The first line of a file, with the version of the program that writes it."""
    return orjson.dumps({"log": WHAT, "format": FORMAT, "program": program}) + b"\n"


def encode(line: Line) -> bytes:
    """One line of a log."""
    kind = type(line.record).__name__.lower()
    try:
        body = _adapter(kind).dump_json(line.record)
    except ValueError:
        # A device may say what is no text in any encoding (a lone surrogate); the store marks it in the same way.
        body = orjson.dumps(_cleaned(_adapter(kind).dump_python(line.record, mode="python")), default=str)
    at = line.at.isoformat(timespec="microseconds")
    return b'{"n":%d,"at":"%s","%s":%s}\n' % (line.n, at.encode(), kind.encode(), body)


def decode(text: bytes) -> Line:
    """A line as it was. Raises ValueError that says what is wrong with it."""
    told = orjson.loads(text)
    if not isinstance(told, dict) or not told.keys() >= {"n", "at"}:
        raise ValueError("this is no record of an observation log")
    kinds = told.keys() - {"n", "at"}
    kind = next(iter(kinds), "")
    if len(kinds) != 1 or kind not in KINDS:
        raise ValueError(f"a record of a kind that is not known here: {', '.join(sorted(kinds)) or 'none'}")
    try:
        record = _adapter(kind).validate_python(told[kind])
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, (kind, *first['loc'])))}: {first['msg']}") from error
    return Line(int(told["n"]), datetime.fromisoformat(told["at"]), record)


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(KINDS[kind])


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {str(_cleaned(name)): _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value
