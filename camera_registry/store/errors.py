"""How the store fails: a short list that callers can tell apart without knowing the database."""

from __future__ import annotations

from collections.abc import Sequence

from camera_registry.model.discovery import ProposalState


class StoreError(Exception):
    """The store cannot do what was asked; the message says where, why and what to do. Nothing was written."""


class Unavailable(StoreError):
    """The database cannot answer now: locked, full or out of reach. The same job may succeed later."""


class Full(Unavailable):
    """There is no room on the disk."""


class Held(StoreError):
    """Another service runs on this database: ``holder`` says which."""

    def __init__(self, message: str, holder: str) -> None:
        super().__init__(message)
        self.holder = holder


class ClaimLost(StoreError):
    """Another service took the database while this one had lost sight of it; this one must stop."""


class Conflict(StoreError):
    """The database refused a value: it exists already, or names something that does not exist."""


class Outdated(StoreError):
    """Somebody changed the item since it was read; read it again and repeat the edit."""


class Refused(StoreError):
    """An edit that would leave the register untrue. ``problems`` lists every reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class Taken(Refused):
    """An item with this ``id`` is registered already."""

    def __init__(self, kind: str, id: str, remedy: str) -> None:
        super().__init__([f"{kind} {id} is registered already: {remedy}"])
        self.id = id


class Decided(Refused):
    """Somebody has decided before; ``state`` is what became of it."""

    def __init__(self, id: int, state: ProposalState) -> None:
        super().__init__([f"proposal {id} is {state.value} already: look at the list again"])
        self.state = state
