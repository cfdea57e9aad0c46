"""The fields of row classes, each with the column that it is kept in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, String, Text
from sqlmodel import Field

from camera_registry.store.columns import Instant, Reference, Word, Words

BIG = BigInteger().with_variant(Integer, "sqlite")


def key() -> Any:
    return Field(sa_column=Column(String, primary_key=True))


def text() -> Any:
    return Field(default="", sa_column=Column(Text, nullable=False))


def reference(target: str, *, index: bool = False, required: bool = False) -> Any:
    key = ForeignKey(target, deferrable=True, initially="DEFERRED")
    return Field(default="", sa_column=Column(Reference, key, index=index, nullable=not required))


def instant(*, optional: bool = False, index: bool = False) -> Any:
    return Field(sa_column=Column(Instant, nullable=optional, index=index))


def word(words: Any, *, optional: bool = False) -> Any:
    return Field(sa_column=Column(Word(words), nullable=optional))


def number() -> Any:
    return Field(default=None, sa_column=Column(Float, nullable=True))


def words() -> Any:
    return Field(default=(), sa_column=Column(Words, nullable=False))


def serial() -> Any:
    # SQLite gives rising numbers only to a column of exactly the type INTEGER (64 bits there).
    return Field(default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True))
