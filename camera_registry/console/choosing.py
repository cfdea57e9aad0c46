"""Offers areas and contractors to whoever types a part of one, and finds the one that was meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import islice

from camera_registry.board import Names
from camera_registry.console.problems import Problem
from camera_registry.rules.places import way_up
from camera_registry.texts import Texts

OFFERED = 50
"""Choices that are shown at a time; who types more of one narrows them."""

Choice = tuple[str, str]
"""A code, and what it is called."""


def areas(names: Names, typed: str = "") -> list[Choice]:
    """Areas whose code or name holds what was typed, those that begin with it first, then the larger ones, each with
    those that it lies in."""
    ways = {code: way_up(code, names.area_parents) for code in names.areas}
    found = sorted(_holding(names.areas, typed), key=lambda one: (one[0], len(ways[one[1]]), one[1]))
    return [
        (code, " / ".join(names.areas.get(one) or one for one in reversed(ways[code])))
        for _, code in islice(found, OFFERED)
    ]


def contractors(names: Names, typed: str = "") -> list[Choice]:
    """Contractors whose code or name holds what was typed, those that begin with it first."""
    found = sorted(_holding(names.contractors, typed))
    return [(code, names.contractors[code]) for _, code in islice(found, OFFERED)]


def sites(names: Names, typed: str = "") -> list[Choice]:
    """Sites whose code or name holds what was typed, those that begin with it first."""
    found = sorted(_holding(names.sites, typed))
    return [(code, names.sites[code]) for _, code in islice(found, OFFERED)]


def filtered(called: Mapping[str, str], typed: str, words: Texts, nothing: str = "list.no_area") -> tuple[str, str]:
    """The code of what was typed into a filter, and why nothing is found by it: nothing is called so (the text of that
    key says it), or several are."""
    try:
        code = meant(called, typed)
    except Problem as problem:
        return typed, f"{problem.detail(words)} {problem.remedy(words)}"
    return code, words(nothing, area=typed) if code and code not in called else ""


def meant(called: Mapping[str, str], typed: str) -> str:
    """The code of what was typed: a code, the whole name of one, or a part that only one holds. What nothing holds is
    given back: it may have been registered once. Raises Problem where several are meant as well."""
    typed = typed.strip()
    if not typed or typed in called:
        return typed
    whole = [code for code, name in called.items() if name.casefold() == typed.casefold()]
    found = whole or [code for _, code in sorted(_holding(called, typed))]
    if len(found) > 1:
        shown = ", ".join(f"{called[code]} ({code})" for code in found[:10])
        more = ", …" if len(found) > 10 else ""
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "several", given=typed, n=len(found), found=shown + more)
    return found[0] if found else typed


def _holding(called: Mapping[str, str], typed: str) -> Iterator[tuple[bool, str]]:
    """The codes that hold a text in code or name, each after whether it does so only further in."""
    part = typed.strip().casefold()
    for code, name in called.items():
        own = (code.casefold(), name.casefold())
        if any(part in one for one in own):
            yield not any(one.startswith(part) for one in own), code
