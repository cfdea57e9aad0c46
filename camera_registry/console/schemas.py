"""What queries and forms of pages may hold, and kinds of values that the API's have in common with them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from camera_registry.console.reader import Order
from camera_registry.model.device import Kind, Life
from camera_registry.model.health import Cause, Status
from camera_registry.model.incident import Severity
from camera_registry.model.work_order import OrderState
from camera_registry.store.sorting import Sorting


def _blank(value: object) -> object:
    return None if value == "" else value


Blank = BeforeValidator(_blank)
"""An empty field says nothing."""

RowNumber = Annotated[int, Field(ge=0, lt=2**63)]
"""The number of a row, as large as a database can hold one."""
Before = Annotated[RowNumber | None, Blank]
"""The row that a page of a list begins behind; None: this is the first."""

OptionalStatus = Annotated[Status | None, Blank]
OptionalKind = Annotated[Kind | None, Blank]
OptionalCause = Annotated[Cause | None, Blank]
OptionalSeverity = Annotated[Severity | None, Blank]
OptionalOrderState = Annotated[OrderState | None, Blank]
OptionalSorting = Annotated[Sorting | None, Blank]
OptionalLife = Annotated[Life | None, Blank]


class PageQuery(BaseModel):
    """A page that shows the same whatever is asked. People's links may carry what we don't know; it is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Filters(PageQuery):
    """A page that shows what its parameters ask for. One that it does not know is refused: what would be shown was not
    what was asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Form(BaseModel):
    """What a form of a page sends. A browser may send more than was asked for, and what somebody typed is not told."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class VersionForm(Form):
    """``version``: of what stood on the page, when it was made."""

    version: int


class ListPageQuery(Filters):
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


class DevicePageQuery(Filters):
    """How many days of history are shown."""

    days: Annotated[Literal[1, 7], BeforeValidator(lambda given: int(given) if str(given).isdigit() else given)] = 1
