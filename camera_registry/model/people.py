"""People: who is sent, who signs in, and what each may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NAME = r"[^\s:/]{1,64}"
"""What somebody who signs in may be called, as a regular expression."""


class Role(StrEnum):
    """What a user may do; see ``camera_registry.rules.access``."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    CREW = "crew"
    AUDITOR = "auditor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Contractor:
    """A firm that maintains devices under contract."""

    id: str
    name: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Crew:
    """People who are sent together, of one contractor or of the city's own."""

    id: str
    name: str = ""
    contractor: str = ""
    area: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signs in, or a token that acts for them.

    ``crew`` is the crew they belong to (empty: none); ``contractor`` is that crew's, as the register has it now.
    """

    name: str
    role: Role
    language: str = "zh"
    active: bool = True
    crew: str = ""
    contractor: str = ""


@dataclass(frozen=True, slots=True)
class Credential:
    """A user name and password that devices accept. ``version`` grows with each change, so that a lock-out guard can
    tell a new password from the refused one. The password never appears in ``repr``."""

    id: str
    username: str
    password: str
    version: int = 1

    def __repr__(self) -> str:
        return f"Credential(id={self.id!r}, version={self.version})"
