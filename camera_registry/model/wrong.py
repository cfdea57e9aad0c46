"""What is wrong with something that was given, in a form that both languages have a text for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Wrong:
    """``place`` is where (a key of the settings; empty: all of it), ``key`` and ``values`` what, as the texts have it.
    ``detail`` says it in English, for logs, and where a language has no text for the key."""

    place: str
    key: str
    detail: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.place}: {self.detail}" if self.place else self.detail
