"""This file holds what every section of the settings is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, LiteralString

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from camera_registry.model.wrong import Wrong

Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A table of the settings file: frozen, and a key that it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def refused(key: LiteralString, template: LiteralString, **values: object) -> PydanticCustomError:
    """What a check of the settings raises: ``key`` is that of its texts, ``template`` says the same in English."""
    return PydanticCustomError(key, template, {name: str(value) for name, value in values.items()})


def unread(place: str, path: Path, error: OSError | UnicodeDecodeError) -> Wrong:
    """A file that the settings name can't be read."""
    reason = error.strerror if isinstance(error, OSError) else "it is not text"
    told = {"path": path, "reason": reason}
    return Wrong(place, "unread", f"{path} can't be read: {reason}; write the secret there", told)


def empty(place: str, path: Path) -> Wrong:
    """A file that the settings name holds nothing."""
    return Wrong(place, "empty", f"{path} is empty; write the secret into it", {"path": path})
