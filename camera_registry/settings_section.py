"""This file holds what every section of the settings is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A table of the settings file: frozen, and a key that it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
