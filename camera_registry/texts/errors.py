"""This file holds errors that people read: a key with values, told in whatever language they read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from camera_registry.texts import Texts, texts


class TellableError(Exception):
    """``key`` of the error's ``section`` of the texts, with its values, says where, why and what to do; as a text of
    its own it is English, for logs. Values that are such errors themselves, members of the vocabulary, kinds of records
    (``record``, ``user``) or what rules and probes said (several: a tuple) are told in the same language."""

    section: ClassVar[str]

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values

    def __str__(self) -> str:
        return self.told(texts("en"))

    def told(self, words: Texts) -> str:
        """The message in a language."""
        return words(f"{self.section}.{self.key}", **in_words(words, self.values))


def in_words(words: Texts, values: Mapping[str, object]) -> dict[str, object]:
    """Values as people read them in a language."""
    return {name: _told(words, name, value) for name, value in values.items()}


def _told(words: Texts, name: str, value: object) -> object:
    if isinstance(value, TellableError):
        return value.told(words)
    if isinstance(value, StrEnum):
        return words.name(value)
    if isinstance(value, tuple):
        return words("store_error.and").join(words.retold(str(one)) for one in value)
    if isinstance(value, Exception | str) and name not in ("record", "user"):
        return words.retold(str(value))
    return words.entries.get(f"thing.{value}", value) if name in ("record", "user") else value
