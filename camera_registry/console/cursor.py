"""Where the next page of a list begins: behind a row, or as a cursor, text that callers hand back unread."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from http import HTTPStatus
from typing import Protocol, TypeVar

import orjson

from camera_registry.console.problems import Problem
from camera_registry.console.reader import Key


class Numbered(Protocol):
    """What is stored under a number."""

    @property
    def id(self) -> int: ...


R = TypeVar("R", bound=Numbered)


def cut(found: Sequence[R], most: int) -> tuple[list[R], int | None]:
    """The first ``most`` of these rows, and the number behind which the next page begins; None: there are no more."""
    shown = list(found[:most])
    return shown, shown[-1].id if len(found) > most else None


def to_cursor(key: Key | None) -> str:
    """The cursor of a list's key; empty behind the last page."""
    return "" if key is None else base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def from_cursor(cursor: str) -> Key | None:
    """The key of a cursor that we gave out. Raises Problem for anything else."""
    if not cursor:
        return None
    try:
        rank, device = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "cursor") from error
    if not isinstance(rank, int) or not isinstance(device, str):
        raise Problem(HTTPStatus.BAD_REQUEST, "cursor")
    return rank, device
