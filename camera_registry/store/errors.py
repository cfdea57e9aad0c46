"""How the store fails: a short list that callers can tell apart without knowing the database."""

from __future__ import annotations

from collections.abc import Sequence

from camera_registry.texts import Texts
from camera_registry.texts.errors import TellableError


class StoreError(TellableError):
    """The store cannot do what was asked; the message says where, why and what to do. Nothing was written."""

    section = "store_error"


class Unavailable(StoreError):
    """The database cannot answer now: locked, full or out of reach. The same job may succeed later."""


class Full(Unavailable):
    """There is no room on the disk."""


class Held(StoreError):
    """Another service runs on this database: ``holder`` says which."""

    def __init__(self, key: str, *, holder: str, **values: object) -> None:
        super().__init__(key, holder=holder, **values)
        self.holder = holder


class ClaimLost(StoreError):
    """Another service took the database while this one had lost sight of it; this one must stop."""


class Conflict(StoreError):
    """The database refused a value: it exists already, or names something that does not exist."""


class Outdated(StoreError):
    """Somebody changed the item since it was read; read it again and repeat the edit."""


class Refused(StoreError):
    """An edit that would leave the register untrue."""


class Untrue(Refused):
    """The same, for each of these reasons."""

    def __init__(self, problems: Sequence[Refused]) -> None:
        super().__init__("and")
        self.problems = tuple(problems)

    def told(self, words: Texts) -> str:
        return super().told(words).join(one.told(words) for one in self.problems)
