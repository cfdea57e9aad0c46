"""What may be sent to the API. What is not named here is refused, with its place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from camera_registry.console.reader import Order
from camera_registry.console.schemas import Blank, OptionalCause, OptionalKind, OptionalLife, OptionalStatus
from camera_registry.model.device import Life
from camera_registry.model.discovery import ProposalState
from camera_registry.model.people import NAME, Role
from camera_registry.store.pictures import PictureKind

Text = Annotated[str, Field(max_length=200)]
RowCursor = Annotated[str, Field(pattern=r"^[0-9]{0,18}$")]
"""The number of a row: 18 digits fit into what either database holds."""
Moment = Annotated[AwareDatetime, Field(ge=datetime(2, 1, 1, tzinfo=UTC), lt=datetime(9999, 1, 1, tzinfo=UTC))]
"""A time that can be moved to any time zone."""
Limit = Annotated[int, Field(ge=1, le=1000)]


class Question(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class DevicesQuestion(Question):
    """``area`` takes its subtree along; ``q`` holds words that must all occur."""

    q: Text = ""
    status: OptionalStatus = None
    area: Text = ""
    kind: OptionalKind = None
    cause: OptionalCause = None
    life: OptionalLife = None
    site: Text = ""
    contractor: Text = ""
    parent: Text = ""
    order: Order = Order.ID
    cursor: Annotated[str, Field(max_length=400)] = ""
    limit: Limit = 100


class ItemsQuestion(Question):
    q: Text = ""
    area: Text = ""
    cursor: Annotated[str, Field(max_length=400)] = ""
    limit: Limit = 100


class NewestQuestion(Question):
    cursor: RowCursor = ""
    limit: Limit = 100

    @property
    def before(self) -> int | None:
        """The row that the page begins behind; None: this is the first."""
        return int(self.cursor) if self.cursor else None


class PastQuestion(NewestQuestion):
    """``since`` is included, ``until`` is not; both need an offset, such as ``2026-11-01T00:00:00+08:00``."""

    since: Moment | None = None
    until: Moment | None = None


class FlipsQuestion(PastQuestion):
    device: Text = ""
    area: Text = ""


class AuditQuestion(NewestQuestion):
    about: Text = ""
    actor: Text = ""


class ProposalsQuestion(NewestQuestion):
    """``state`` left out: all of them."""

    state: Annotated[ProposalState | None, Blank] = None


class SnapshotQuestion(Question):
    """``channel`` may be left out where the device has one."""

    kind: PictureKind = PictureKind.LAST
    channel: Text = ""


class ImportQuestion(Question):
    """``dry_run``: say what would change and what is wrong, and change nothing."""

    dry_run: bool = False


class LifeBody(Question):
    life: Life


class AcceptBody(Question):
    """What a person decides about a new device; what is left out is as the proposal suggests."""

    id: Text = ""
    name: Text = ""
    kind: OptionalKind = None
    area: Text = ""
    life: OptionalLife = None
    credential: Text = ""

    def chosen(self) -> dict[str, str]:
        return {name: str(value) for name, value in self if value}


class RejectBody(Question):
    reason: Annotated[str, Field(min_length=1, max_length=400)]


class SearchBody(Question):
    """``resume``: go on where the last search was stopped."""

    resume: bool = False


class CredentialBody(Question):
    username: Annotated[str, Field(max_length=200)]
    password: Annotated[SecretStr, Field(max_length=1000)]


class SignInBody(Question):
    name: Annotated[str, Field(max_length=64)]
    password: Annotated[SecretStr, Field(max_length=1024)]


class NewUserBody(Question):
    """``crew``: whose orders they see, of the role crew."""

    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    role: Role
    password: Annotated[SecretStr, Field(max_length=1024)]
    language: Literal["zh", "en"] = "zh"
    crew: Text = ""


class UserBody(Question):
    """What is left out stays as it is."""

    role: Role | None = None
    language: Literal["zh", "en"] | None = None
    active: bool | None = None
    crew: Text | None = None
    password: Annotated[SecretStr, Field(max_length=1024)] | None = None


class TokenBody(Question):
    """``expires_at`` left out: never."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    role: Role
    expires_at: Moment | None = None
