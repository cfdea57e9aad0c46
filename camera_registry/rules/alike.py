"""This file holds what devices tell of themselves, which is most of what they weigh: what many tell alike once, and
lists and mappings as JSON, a quarter of what their objects would take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from sys import intern
from typing import Any, Generic, TypeVar

import orjson

from camera_registry.model.observation import Facts

LARGEST = 1_000
"""Bytes of JSON beyond which a value is one device's own, as a picture's judgement is."""
MOST = 4_096
"""Values after which those that nobody has told again since as many others are forgotten."""
FEW = 6
"""Facts of a run, none of them measured, that are looked for as a whole: a stream's are those of its model."""

NOTHING = object()
_AS_TOLD = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS
"""What would come back from JSON as something else is held as it is."""
_K = TypeVar("_K")
_V = TypeVar("_V")


class Kept(Mapping[str, object]):
    """The facts of one run as they are held: values beside the names that all runs of this shape have together. A list
    or a mapping among them is read from its JSON each time that it is asked for: it is theirs alone who asked."""

    __slots__ = ("places", "told")

    def __init__(self, places: Mapping[str, int], told: tuple[object, ...]) -> None:
        self.places = places
        self.told = told
        """JSON as bytes, which facts are not; whatever else as it was told."""

    def __getitem__(self, name: str) -> object:
        value = self.told[self.places[name]]
        return orjson.loads(value) if type(value) is bytes else value

    def get(self, name: str, default: Any = None) -> Any:
        """As a dict has it, and for those that ask at each run of each device."""
        place = self.places.get(name)
        if place is None:
            return default
        value = self.told[place]
        return orjson.loads(value) if type(value) is bytes else value

    def held(self, name: str) -> object:
        """A value as it is held; ``NOTHING`` where there is none."""
        place = self.places.get(name)
        return NOTHING if place is None else self.told[place]

    def __contains__(self, name: object) -> bool:
        return name in self.places

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __repr__(self) -> str:
        return repr(dict(self))


def news(now: Facts, before: Facts) -> Iterator[str]:
    """The names under which something else is told now than before."""
    if isinstance(now, Kept) and isinstance(before, Kept) and now.places is before.places:
        for name, value, known in zip(now.places, now.told, before.told, strict=True):
            if value is not known and _differs(value, known):
                yield name
    else:
        for name in now:
            if _differs(_held(now, name), _held(before, name)):
                yield name


class Alike:
    """The values that are held. It belongs to whoever holds the facts of many devices."""

    def __init__(self) -> None:
        self._shapes: _Recent[tuple[str, ...], Mapping[str, int]] = _Recent()
        self._written: _Recent[bytes, bytes] = _Recent()
        self._whole: _Recent[tuple[tuple[str, type, object], ...], Kept] = _Recent()
        self._read: _Recent[bytes, object] = _Recent()

    def after(self, before: Facts, told: Facts) -> Facts:
        """The facts ``before`` with what is told now on top, as they are held; ``before`` itself where it is held so
        already and nothing differs."""
        if not isinstance(before, Kept):
            return self._kept({name: self._hold(value) for name, value in {**before, **told}.items()})
        places, values = before.places, before.told
        differing: dict[str, object] = {}
        for name, value in told.items():
            place = places.get(name)
            earlier = NOTHING if place is None else values[place]
            if earlier is value:
                continue
            held = self._packed(value) if type(value) is dict or type(value) is list else value
            if type(held) is not type(earlier) or held != earlier:
                differing[name] = intern(held) if type(held) is str else held
        if not differing:
            return before
        if not all(map(places.__contains__, differing)):
            return self._kept({**dict(zip(places, values, strict=True)), **differing})
        changed = list(values)
        for name, value in differing.items():
            changed[places[name]] = value
        return Kept(places, tuple(changed))

    def _kept(self, held: Mapping[str, object]) -> Kept:
        names, values = tuple(held), tuple(held.values())
        places = self._shapes.get(names) or self._shapes.one(names, {name: place for place, name in enumerate(names)})
        if len(values) > FEW or not all(map(_is_usual, values)):
            return Kept(places, values)
        # One equals True and 1.0, and is told otherwise.
        whole = tuple((name, type(value), value) for name, value in held.items())
        return self._whole.one(whole, Kept(places, values))

    def shared(self, told: Mapping[str, object]) -> dict[str, object]:
        """Values that are used again and again, each held once. None of them may be changed in place."""
        return {name: self._one(value) for name, value in told.items()}

    def _hold(self, value: object) -> object:
        """A value as it is held."""
        if type(value) is str:
            return intern(value)
        return self._packed(value) if type(value) is dict or type(value) is list else value

    def _packed(self, value: object) -> object:
        """A value as its JSON, where that says all of it."""
        try:
            written = orjson.dumps(value, option=_AS_TOLD)
        except orjson.JSONEncodeError:
            return value
        # JSON has one word for what is not a number and for nothing.
        if b"null" in written and orjson.loads(written) != value:
            return value
        known = self._written.get(written)
        if known is not None:
            return known
        # What orjson has written sits in a buffer of several kilobytes, however short it is.
        copied = bytes(memoryview(written))
        return copied if len(copied) > LARGEST else self._written.one(copied, copied)

    def _one(self, value: object) -> object:
        held = self._hold(value)
        return self._read.one(held, value) if isinstance(held, bytes) else held


class _Recent(Generic[_K, _V]):
    """Values by what tells them apart, as long as they are told again before so many others are."""

    def __init__(self) -> None:
        self._new: dict[_K, _V] = {}
        self._old: dict[_K, _V] = {}

    def get(self, key: _K) -> _V | None:
        """The one that is held."""
        value = self._new.get(key)
        if value is None and (value := self._old.get(key)) is not None:
            self._hold(key, value)
        return value

    def one(self, key: _K, value: _V) -> _V:
        """The one that is held, or else this one from now on."""
        known = self.get(key)
        if known is not None:
            return known
        self._hold(key, value)
        return value

    def _hold(self, key: _K, value: _V) -> None:
        if len(self._new) >= MOST:
            self._old, self._new = self._new, {}
        self._new[key] = value


def _held(facts: Facts, name: str) -> object:
    return facts.held(name) if isinstance(facts, Kept) else facts.get(name, NOTHING)


def _is_usual(value: object) -> bool:
    """Whether a value as it is held may be another device's too: measured numbers are not."""
    return type(value) in (str, int, bool, bytes) or (type(value) is float and value.is_integer())


def _differs(one: object, other: object) -> bool:
    return one is not other and (type(one) is not type(other) or one != other)
