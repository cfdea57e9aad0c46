"""This package holds every sentence shown to people, once per language, and looks them up by key.

A key is the path to a line of ``zh.toml`` or ``en.toml`` (``cause.dns.why``). Members of the vocabulary's enums are
named by their class and value, so a new member without a text fails the tests, not a page at night.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from functools import cache
from importlib.resources import files
from string import Formatter

from camera_registry.model.chain import Chain, Link, LinkSeen, first_broken
from camera_registry.model.health import Cause
from camera_registry.model.observation import Failure
from camera_registry.model.wrong import Wrong
from camera_registry.texts.measured import measured

LANGUAGES = ("zh", "en")
DEFAULT = "zh"

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")

_SPOKEN = "en"
"""What probes and rules speak."""
_ANY = "(?P<{}>.+?)"
_ANY_VALUE = re.compile(r"\(\?P<\w+>\.\+\?\)")

_OF_DAY = re.compile(r"\b(\d\d:\d\d:\d\d) UTC\b")
"""As ``_shown`` tells a time."""

_UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))


@dataclass(frozen=True, slots=True)
class Texts:
    """The catalogue of one language. Call it with a key and the values of its placeholders."""

    language: str
    entries: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text of ``key``. Raises KeyError for a key that is not in the catalogue: a bug of ours."""
        text = self.entries[key]
        return text.format_map(values) if values else text

    def count(self, key: str, n: int) -> str:
        """The text of ``key`` for ``n`` things, in the singular where the language has one."""
        return self(f"{key}.one" if n == 1 else f"{key}.other", n=f"{n:,}")

    def name(self, member: StrEnum) -> str:
        """What a member of the vocabulary is called: ``name(Status.OK)``, ``name(Cause.DNS)``."""
        section = _section(type(member))
        return self(f"{section}.{member.value}.name" if isinstance(member, Cause) else f"{section}.{member.value}")

    def why(self, cause: Cause) -> str:
        """One sentence: what this cause means."""
        return self(f"cause.{cause.value}.why")

    def next(self, cause: Cause) -> str:
        """One sentence: what the operator does about it."""
        return self(f"cause.{cause.value}.next")

    def kind(self, failure: Failure) -> str:
        """What kind of failure it is, in a word or two."""
        return self("failure.wants_credential") if failure.wants_credential else self.name(failure.kind)

    def failure(self, failure: Failure, zone: tzinfo = UTC) -> str:
        """What a failure says, its times in ``zone``. One without a text of its own, of an older version or of a rare
        kind, is told by its detail, which is English."""
        return self._told(f"failure.{failure.key}", failure.values, failure.detail, zone)

    def retold(self, said: str, at: datetime | None = None) -> str:
        """What probes and rules have said, who know no language and speak English, in this one; other words as they
        are. Values are told as they stand in it, times by UTC; or by the clock of ``at``, which is when it was said.
        What a picture was found by is told in words in either language: rules call each measure by its name."""
        if at is not None:
            return _OF_DAY.sub(lambda found: _by_clock(found[1], at), self.retold(said))
        if (told := measured(self.entries, said)) is not None:
            return told
        if self.language == _SPOKEN:
            return said
        for key, pattern in _sentences():
            if found := pattern.fullmatch(said):
                values = {name: self.retold(value) for name, value in found.groupdict().items() if value is not None}
                place = self("failure.place", **values) if {"host", "port"} <= values.keys() else ""
                return self.entries[key].format_map({"place": place, **values})
        return said

    def problem(self, flaw: str, values: Mapping[str, str]) -> tuple[str, str]:
        """What is wrong with a file or a form, and what to do about it; kinds of records and columns by their names."""
        named = dict(values)
        for name, section in (("record", "thing"), ("field", "inventory_column"), ("missing", "inventory_column")):
            if name in named:
                named[name] = self.entries.get(f"{section}.{named[name]}", named[name])
        remedy = "remedy"
        # Only a latitude ends there, and one beyond it may well be the longitude.
        if flaw == "out_of_range" and named.get("high") == "90":
            remedy = "remedy_swapped"
        elif flaw == "unknown_reference" and values.get("record") == "credential":
            remedy = "remedy_credential"
        return self(f"problem.{flaw}.what", **named), self(f"problem.{flaw}.{remedy}", **named)

    def column(self, name: str, *, lacks: bool) -> str:
        """What the column of a file is called: as in the file, or as people call the field that it lacks one for."""
        return self.entries.get(f"inventory_column.{name}", name) if lacks else name

    def wrong(self, one: Wrong) -> str:
        """What is wrong with the settings, at which key, and what was given there."""
        text = self.entries.get(f"settings_flaw.{one.key}")
        told = text.format_map(one.values) if text is not None else str(one.values.get("message", one.detail))
        shown = self("settings_flaw.given", given=one.values["given"]) if one.values.get("given") else ""
        return f"{one.place}: {told}{shown}" if one.place else f"{told}{shown}"

    def link(self, seen: LinkSeen, zone: tzinfo = UTC) -> str:
        """What was found of one link of the chain."""
        return self._told(seen.key, seen.values, seen.detail, zone)

    def link_next(self, seen: LinkSeen) -> str:
        """What to do about a link that is broken: of a picture that came, what its cause asks for."""
        keys = [f"link_next.{seen.key}"]
        if seen.link is Link.FRAME and seen.key.startswith("cause."):
            keys.append(f"{seen.key.removesuffix('.name')}.next")
        keys.append(f"link_next.{seen.link.value}")
        return self(next(key for key in keys if key in self.entries), **{"who": "", **seen.values})

    def chain(self, links: Chain, zone: tzinfo = UTC) -> Iterator[str]:
        """Every link of a chain in a line of its own, then where to look first and what to do there."""
        yield self("chain.title")
        for seen in links:
            state, detail = self.name(seen.state), self.link(seen, zone)
            yield f"  - {self.name(seen.link)}: {state}" + (f" ({detail})" if detail != state else "")
        broken = first_broken(links)
        if broken is None:
            yield self("chain.whole")
        else:
            yield self("chain.first_broken", link=self.name(broken.link), detail=self.link(broken, zone))
            yield f"    {self.link_next(broken)}"

    def _told(self, key: str, values: Mapping[str, object], detail: str, zone: tzinfo) -> str:
        text = self.entries.get(key)
        if text is None:
            return detail
        shown = {name: _shown(name, value, zone) for name, value in values.items()}
        if "said" in shown:
            shown["said"] = self.retold(str(shown["said"]))
        try:
            if "{place}" in text:
                shown["place"] = self("failure.place", **values) if "port" in values else ""
            return text.format_map(shown)
        except (KeyError, ValueError):
            return detail

    def duration(self, length: timedelta) -> str:
        """A length of time as people say it: "2 hours 5 minutes", "40 seconds"; below an hour one unit is enough."""
        seconds = max(0, int(length.total_seconds()))
        for place, (unit, size) in enumerate(_UNITS):
            n, rest = divmod(seconds, size)
            if n == 0 and size > 1:
                continue
            said = self.count(f"duration.{unit}", n)
            if size > 60:
                below, below_size = _UNITS[place + 1]
                said += f" {self.count(f'duration.{below}', rest // below_size)}" if rest >= below_size else ""
            return said
        raise AssertionError("the smallest unit always answers")

    def ago(self, length: timedelta) -> str:
        """How long ago something was."""
        if length.total_seconds() < 1:
            return self("duration.just_now")
        return self("duration.ago", duration=self.duration(length))


def _by_clock(of_day: str, at: datetime) -> str:
    """A time of day, UTC, by the clock of ``at``."""
    moment = datetime.combine(at.astimezone(UTC).date(), time.fromisoformat(of_day), UTC)
    return f"{moment.astimezone(at.tzinfo):%H:%M:%S}"


def _shown(name: str, value: object, zone: tzinfo) -> object:
    """A value of a failure as people read it: what ``Failure`` says are times, by the clock of ``zone``."""
    if name not in ("at", "until") or not isinstance(value, str):
        return value
    moment = datetime.fromisoformat(value).astimezone(zone)
    return f"{moment:%H:%M:%S}{' UTC' if zone is UTC else ''}"


@cache
def texts(language: str) -> Texts:
    """The catalogue of ``language``; of the default language where we do not speak it."""
    known = language if language in LANGUAGES else DEFAULT
    source = files(__name__).joinpath(f"{known}.toml").read_text(encoding="utf-8")
    return Texts(known, dict(_flatten(tomllib.loads(source), "")))


def preferred(header: str) -> str | None:
    """The language a browser asks for in ``Accept-Language`` (RFC 9110, section 12.5.4), if we speak it."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")):
        tag, _, parameters = part.partition(";")
        found = re.search(r"q\s*=\s*([^\s;]*)", parameters)
        try:
            quality = float(found.group(1)) if found else 1.0
        except ValueError:
            quality = 0.0
        ranked.append((-quality, place, tag.strip().lower().partition("-")[0]))
    for quality, _, language in sorted(ranked):
        if quality < 0 and language in LANGUAGES:
            return language
    return None


@cache
def _sentences() -> list[tuple[str, re.Pattern[str]]]:
    """The texts of failures and findings as probes and rules speak them, each with what matches it. What fixes more
    comes first: of a sentence that goes on, the beginning would fit too."""
    spoken = texts(_SPOKEN)
    found = [(key, text) for key, text in spoken.entries.items() if key.startswith(("failure.", "finding."))]
    place = "(?:{})?".format(_pattern(spoken.entries["failure.place"]))
    patterns = [(key, _pattern(text).replace(_ANY.format("place"), place)) for key, text in found]
    return sorted(
        ((key, re.compile(text, re.DOTALL)) for key, text in patterns if key != "failure.place"),
        key=lambda one: -len(_ANY_VALUE.sub("", one[1].pattern)),
    )


def _pattern(text: str) -> str:
    seen: set[str] = set()
    parts = []
    for literal, name, _, _ in Formatter().parse(text):
        parts.append(re.escape(literal))
        if name is not None:
            parts.append(f"(?P={name})" if name in seen else _ANY.format(name))
            seen.add(name)
    return "".join(parts)


@cache
def _section(vocabulary: type[StrEnum]) -> str:
    return _WORD.sub("_", vocabulary.__name__).lower()


def _flatten(table: Mapping[str, object], path: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", str(value)
