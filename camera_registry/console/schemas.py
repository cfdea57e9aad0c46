"""What may be sent to the console: queries of pages and of the API, and bodies. What is not named here is refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from camera_registry.console.reader import Order
from camera_registry.model.device import Kind, Life
from camera_registry.model.health import Cause, Status
from camera_registry.model.incident import Severity


def _blank(value: object) -> object:
    return None if value == "" else value


OptionalStatus = Annotated[Status | None, BeforeValidator(_blank)]
OptionalKind = Annotated[Kind | None, BeforeValidator(_blank)]
OptionalCause = Annotated[Cause | None, BeforeValidator(_blank)]
OptionalSeverity = Annotated[Severity | None, BeforeValidator(_blank)]
OptionalLife = Annotated[Life | None, BeforeValidator(_blank)]


class PageQuery(BaseModel):
    """A page without parameters of its own. People's links may carry what we don't know, so that is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ListPageQuery(PageQuery):
    """The list of devices. A form sends every field, the empty ones too."""

    q: str = Field("", max_length=200)
    status: OptionalStatus = None
    area: str = Field("", max_length=200)
    kind: OptionalKind = None
    cause: OptionalCause = None
    life: OptionalLife = None
    parent: str = Field("", max_length=200)
    order: Order = Order.WORST
    after: str = Field("", max_length=400)


class DevicePageQuery(PageQuery):
    """How many days of history are shown."""

    days: Annotated[Literal[1, 7], BeforeValidator(lambda given: int(given) if str(given).isdigit() else given)] = 1
