"""Observations and changes of the roster as they pass between processes: rows of JSON, and pictures beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from camera_registry.model.observation import Failure, Observation
from camera_registry.model.roster import Drop, Entry, Hurry, LeaveAlone, Put, RosterChange

PIECE = 500
"""Observations of one message, at most."""

PIECE_BYTES = 4 * 2**20
"""Bytes of pictures after which a message takes no further one."""

_ENTRY = TypeAdapter(Entry)
_FAILURE = TypeAdapter(Failure)
_QUIET = TypeAdapter(LeaveAlone)


def pieces(batch: Sequence[Observation]) -> Iterator[Sequence[Observation]]:
    """A batch cut so that no part of it makes too long a message: one that had to wait for long may be any length."""
    start = size = 0
    for place, seen in enumerate(batch):
        if place - start >= PIECE or size > PIECE_BYTES:
            yield batch[start:place]
            start, size = place, 0
        size += len(seen.picture or b"")
    if start < len(batch):
        yield batch[start:]


def observed(batch: Iterable[Observation]) -> tuple[list[object], list[bytes]]:
    """Rows of a batch, and its pictures."""
    rows: list[object] = []
    pictures: list[bytes] = []
    for seen in batch:
        shown = seen.picture is not None
        rows.append(
            (seen.device, seen.probe, seen.at, seen.took, seen.channel, seen.facts, seen.failure, shown),
        )
        if seen.picture is not None:
            pictures.append(seen.picture)
    return rows, pictures


def observations(rows: Iterable[Any], pictures: Iterable[bytes]) -> list[Observation]:
    """The batch again. Raises ValueError where it is none."""
    left = iter(pictures)
    try:
        return [
            Observation(
                device,
                probe,
                datetime.fromisoformat(at),
                took,
                channel,
                facts,
                None if failure is None else _FAILURE.validate_python(failure),
                next(left) if shown else None,
            )
            for device, probe, at, took, channel, facts, failure, shown in rows
        ]
    except (TypeError, StopIteration) as error:
        raise ValueError(f"rows that are no observations: {error}") from error


def told(change: RosterChange) -> object:
    """The row of one change."""
    match change:
        case Put(item):
            return ("put", item)
        case Drop(device):
            return ("drop", device)
        case Hurry():
            return ("hurry", change.device, change.probe, change.channel, change.after)
        case LeaveAlone():
            return ("quiet", change)


def change(row: Any) -> RosterChange:
    """The change again. Raises ValueError where it is none."""
    match row:
        case ["put", item]:
            return Put(entry(item))
        case ["drop", str(device)]:
            return Drop(device)
        case ["hurry", str(device), str(probe), str(channel), int() | float() as after]:
            return Hurry(device, probe, channel, after)
        case ["quiet", item]:
            return _QUIET.validate_python(item)
        case _:
            raise ValueError("a row that is no change of the roster")


def entry(item: Any) -> Entry:
    """A device to be asked, again. Raises ValueError where it is none."""
    return _ENTRY.validate_python(item)
