"""Finds what a path names, or answers that there is none."""

from __future__ import annotations

from camera_registry.board import Board, BoardEntry
from camera_registry.console.problems import not_found


def on_board(board: Board, device: str) -> BoardEntry:
    """The board's entry of a device. Raises Problem."""
    entry = board.get(device)
    if entry is None:
        raise not_found("device", device)
    return entry
