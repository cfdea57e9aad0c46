"""What may be sent about incidents and maintenance windows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from camera_registry.console.api.questions import Moment, PastQuestion, Question, Text
from camera_registry.console.schemas import OptionalCause, OptionalSeverity, RowNumber
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.store.sorting import Sorting

Named = Annotated[tuple[Text, ...], Field(max_length=10_000)]
Said = Annotated[str, Field(max_length=2000)]


class IncidentsQuestion(PastQuestion):
    """``open`` left out: open and over. ``area`` takes its subtree along; ``device`` finds incidents about it and those
    it was lost behind; ``roots``: leave out what another incident explains. ``since`` and ``until`` find what was open
    at some time in between. ``order`` ``worst``: by severity, then by when it began."""

    open: bool | None = None
    area: Text = ""
    device: Text = ""
    cause: OptionalCause = None
    severity: OptionalSeverity = None
    parent: RowNumber | None = None
    roots: bool = False
    order: Literal[Sorting.NEWEST, Sorting.WORST] = Sorting.NEWEST


class AcknowledgeBody(Question):
    """``lasts``: seconds until it expires (left out: it does not); ``sticky``: it outlives a change of the cause."""

    note: Said = ""
    lasts: Annotated[float, Field(gt=0, le=31_536_000)] | None = None
    sticky: bool = True


class AssigneeBody(Question):
    """Who looks after it; empty: nobody."""

    assignee: Text


class NoteBody(Question):
    text: Annotated[str, Field(min_length=1, max_length=2000)]


class WindowBody(Question):
    """A maintenance window. ``lasts`` is seconds, of a flexible or recurring window; ``schedule`` five fields of cron
    (``0 2 * * 0``: Sundays at two), read in ``zone`` (left out: the service's)."""

    kind: WindowKind = WindowKind.FIXED
    begins: Moment
    ends: Moment | None = None
    lasts: Annotated[float, Field(ge=0, le=31_536_000)] = 0
    schedule: Annotated[str, Field(max_length=200)] = ""
    zone: Annotated[str, Field(max_length=100)] = ""
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    devices: Named = ()
    tags: Named = ()
    areas: Named = ()
    parents: Named = ()

    def window(self, author: str, now: datetime, zone: str) -> Window:
        """The window that this asks for, not stored yet."""
        cover = Cover(self.devices, self.tags, self.areas, self.parents)
        return Window(
            0,
            self.kind,
            cover,
            self.begins,
            self.ends,
            self.reason,
            author,
            now,
            timedelta(seconds=self.lasts),
            self.schedule,
            self.zone or zone,
        )
