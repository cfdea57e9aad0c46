"""What the API answers about people: sessions, users, tokens, credentials and the audit trail. No secret is in it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from camera_registry.console.api.answers import Copied
from camera_registry.model.people import Role


class CredentialAnswer(Copied):
    """All that is told of a credential: neither user name nor password ever comes back."""

    id: str
    version: int
    changed_at: datetime
    devices: int


class SessionAnswer(BaseModel):
    """Who asks. ``csrf`` goes into X-CSRF-Token of every edit made with the cookie; a token needs none."""

    name: str
    role: Role
    language: str
    crew: str
    csrf: str
    actions: list[str]


class UserAnswer(BaseModel):
    name: str
    role: Role
    language: str
    active: bool
    crew: str = Field(description="whose orders they see, of the role crew")
    created_at: datetime


class TokenAnswer(Copied):
    prefix: str
    name: str
    role: Role
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


class NewTokenAnswer(BaseModel):
    token: str = Field(description="shown now and never again")


class AuditAnswer(Copied):
    id: int
    at: datetime
    actor: str
    action: str
    about: str
    detail: str
