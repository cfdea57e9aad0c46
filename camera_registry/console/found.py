"""Finds what a path names, or answers that there is none."""

from __future__ import annotations

from typing import Any

from camera_registry.board import Board, BoardEntry
from camera_registry.console.problems import not_found
from camera_registry.console.routing import Asked

_MOST_DIGITS = 18
"""Of a row's number: so many fit into what either database holds."""


def as_number(text: str) -> int | None:
    """The number of a row that a text holds; None: it holds none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def number(asked: Asked[Any, Any], what: str, name: str = "id") -> int:
    """The number in the path. Raises Problem: nothing has another name there."""
    given = asked.item(name)
    found = as_number(given)
    if found is None:
        raise not_found(what, given[:100])
    return found


def on_board(board: Board, device: str) -> BoardEntry:
    """The board's entry of a device. Raises Problem."""
    entry = board.get(device)
    if entry is None:
        raise not_found("device", device)
    return entry
