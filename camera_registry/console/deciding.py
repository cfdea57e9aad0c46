"""Has the device networks searched, and carries out what people decide about the proposals: for pages and API alike."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from camera_registry.console.found import number
from camera_registry.console.problems import Place, Problem, not_found
from camera_registry.console.routing import Asked
from camera_registry.model.discovery import Progress
from camera_registry.rules.inventory.problems import Flaw, Severity
from camera_registry.rules.inventory.problems import Problem as Flawed
from camera_registry.rules.scanning import TooWide
from camera_registry.store import audit, proposals
from camera_registry.store.errors import Refused
from camera_registry.texts import Texts

_Ask = Asked[Any, Any]


async def stored(asked: _Ask) -> proposals.StoredProposal:
    """The proposal that the path names. Raises Problem."""
    found = await asked.deps.store.read(proposals.get, number(asked, "proposal"))
    if found is None:
        raise not_found("proposal", asked.item())
    return found


async def accept(asked: _Ask, chosen: Mapping[str, str]) -> str:
    """Take a proposal into the register; returns the device's id. Raises Problem."""
    deps = asked.deps
    await stored(asked)
    networks = deps.settings().devices.networks
    try:
        found = await deps.store.write(
            proposals.accept, number(asked, "proposal"), chosen, networks, author=asked.user.name, at=deps.now()
        )
    except Refused as error:
        # The page shows what was typed beside it.
        raise Problem(HTTPStatus.CONFLICT, "refused", why=error) from error
    if not found.sound:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "invalid",
            places=[
                Place(
                    f"body.{one.column}",
                    _what(asked.words, one),
                    asked.words(f"problem.{one.flaw}.remedy", value=one.value, **one.details),
                )
                for one in found.problems
                if one.severity is Severity.ERROR
            ],
            n=sum(one.severity is Severity.ERROR for one in found.problems),
        )
    await deps.changed()
    return next(item.id for item in found.items)


async def reject(asked: _Ask, reason: str) -> None:
    """Turn a proposal down. Raises Problem, Refused."""
    deps = asked.deps
    await stored(asked)
    await deps.store.write(proposals.reject, number(asked, "proposal"), reason, author=asked.user.name, at=deps.now())


def _what(words: Texts, one: Flawed) -> str:
    """What is wrong with a value that somebody chose: there is no file here, and kinds have names."""
    details = dict(one.details)
    if "record" in details:
        details["record"] = words(f"thing.{details['record']}")
    key = "proposals.unknown" if one.flaw is Flaw.UNKNOWN_REFERENCE else f"problem.{one.flaw}.what"
    return words(key, value=one.value, **details)


async def search(asked: _Ask, *, resume: bool) -> Progress:
    """Begin a search. Raises Problem."""
    deps = asked.deps
    if not deps.settings().devices.networks:
        raise Problem(HTTPStatus.CONFLICT, "no_networks")
    try:
        begun = deps.discovery.start(resume=resume)
    except TooWide as error:
        raise Problem(HTTPStatus.CONFLICT, "too_wide", why=str(error)) from error
    if not begun:
        raise Problem(HTTPStatus.CONFLICT, "searching")
    await deps.store.write(audit.append, asked.user.name, "discovery.start", "discovery", None, deps.now())
    return deps.discovery.progress


async def stop(asked: _Ask) -> Progress:
    """End the search under way; what it has met so far is kept."""
    deps = asked.deps
    deps.discovery.stop()
    await deps.store.write(audit.append, asked.user.name, "discovery.stop", "discovery", None, deps.now())
    return deps.discovery.progress
