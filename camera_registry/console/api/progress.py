"""How far work is that was asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from camera_registry.console.jobs import Job, JobState


class Progress(BaseModel):
    """Work that was asked for by somebody, and how far it is: ``done`` of ``of`` parts."""

    id: int
    by: str
    asked_at: datetime
    state: JobState
    done: int
    of: int
    error: str


def progress(job: Job[Any, Any]) -> dict[str, Any]:
    """The same, for whoever tells more of it."""
    return {name: getattr(job, name) for name in Progress.model_fields}
