"""The chain between us and a picture: its links in the order in which they are asked, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Link(StrEnum):
    """What must hold for a picture to come, each only if those before it do."""

    GATEWAY = "gateway"
    PARENT = "parent"
    HOST = "host"
    PORT = "port"
    CLOCK = "clock"
    CREDENTIALS = "credentials"
    STREAM = "stream"
    FRAME = "frame"


class LinkState(StrEnum):
    """What is known of a link."""

    OK = "ok"
    BROKEN = "broken"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """One link as it was found; ``seconds`` is how long that took (None: nothing was asked for it).

    ``key`` is the whole key of the text that tells it, with these ``values``; ``detail`` stands for it where there is
    none.
    """

    link: Link
    state: LinkState
    key: str = "chain.not_asked"
    values: Mapping[str, object] = field(default_factory=dict)
    seconds: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """What was found of the way to a device when it did not answer: gateway, parent and host, asked ``at``."""

    at: datetime
    links: tuple[LinkSeen, ...]

    def of(self, link: Link) -> LinkSeen | None:
        """What was found of one link, if it was asked."""
        return next((seen for seen in self.links if seen.link is link), None)


Chain = tuple[LinkSeen, ...]
"""All links, in their order."""


def first_broken(chain: Iterable[LinkSeen]) -> LinkSeen | None:
    """Where to look first; None where every link that was asked holds."""
    return next((seen for seen in chain if seen.state is LinkState.BROKEN), None)
