"""Maintenance windows: planned time in which nobody is told, and which is charged to nobody's device."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class WindowKind(StrEnum):
    """When a window is in force."""

    FIXED = "fixed"
    """From ``begins`` to ``ends``."""
    FLEXIBLE = "flexible"
    """For ``lasts`` from the first loss between ``begins`` and ``ends``: work that starts when the crew gets there."""
    RECURRING = "recurring"
    """For ``lasts`` from each time that ``schedule`` names, between ``begins`` and ``ends``."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What a window covers: devices, those with a tag, those in an area (its subtree), and those behind a parent (with
    the parent itself). Anything named by one of them is covered."""

    devices: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """One maintenance window. ``id`` 0: not stored yet.

    ``ends`` None: open-ended, for a recurring window only. ``schedule`` is five fields of cron, read in ``zone``.
    ``began`` is when a flexible window was set off by the first loss. A cancelled window is kept: it tells what was
    muted until then.
    """

    id: int
    kind: WindowKind
    cover: Cover
    begins: datetime
    ends: datetime | None
    reason: str
    author: str
    created_at: datetime
    lasts: timedelta = timedelta()
    schedule: str = ""
    zone: str = "UTC"
    began: datetime | None = None
    cancelled_at: datetime | None = None
    cancelled_by: str = ""
