"""Column types that bring values back exactly as the vocabulary has them, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

import orjson
from sqlalchemy import BigInteger, Dialect, Integer, String, Text
from sqlalchemy.types import TypeDecorator

_MARK = "\N{REPLACEMENT CHARACTER}"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST_DAY = date(1970, 1, 1).toordinal()

WordT = TypeVar("WordT", bound=StrEnum)


def microseconds(at: datetime) -> int:
    """Whole microseconds since 1970 UTC: exact, where a float would lose the last digits."""
    return (at - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """The aware UTC time of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=value)


class Instant(TypeDecorator[datetime]):
    """A point in time as microseconds since 1970 UTC. Naive times are refused."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else instant(value)


class Day(TypeDecorator[date]):
    """A day of the calendar as the number of days since 1970."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> int | None:
        return None if value is None else value.toordinal() - _FIRST_DAY

    def process_result_value(self, value: int | None, dialect: Dialect) -> date | None:
        return None if value is None else date.fromordinal(value + _FIRST_DAY)


class Reference(TypeDecorator[str]):
    """The identifier of another row; the vocabulary's empty text is NULL here, so that the database checks the rest."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value or None

    def process_result_value(self, value: str | None, dialect: Dialect) -> str:
        return value or ""


class Words(TypeDecorator[tuple[str, ...]]):
    """Several texts, as a JSON list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        return () if value is None or value == "[]" else tuple(orjson.loads(value))


class Json(TypeDecorator[Any]):
    """Any JSON value as text, keys sorted: the same value is the same text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


class Word(TypeDecorator[WordT], Generic[WordT]):
    """A word of one closed list of the vocabulary, as text."""

    impl = String
    cache_ok = True

    def __init__(self, words: type[WordT]) -> None:
        super().__init__()
        self.words = words
        # Looked up a million times by a start: an enumeration's own look-up takes several times as long.
        self._known = {word.value: word for word in words}

    def process_bind_param(self, value: WordT | None, dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(self, value: str | None, dialect: Dialect) -> WordT | None:
        return None if value is None else self._known.get(value) or self.words(value)


def json_text(value: object) -> str:
    """``value`` as JSON with sorted keys, whatever text a device put into it."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:
        text = orjson.dumps(_cleaned(value), option=orjson.OPT_SORT_KEYS).decode()
    return text.replace("\\u0000", _MARK)


def clean(text: str) -> str:
    """``text`` without what no database takes: NUL (PostgreSQL) and lone surrogates (everybody)."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", _MARK)


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(name)): _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value
