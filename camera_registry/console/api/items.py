"""The register over the API: the same five verbs for every kind of item. Edits name the version they were made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, ValidationError

from camera_registry.console.api import answers, bodies, devices, questions
from camera_registry.console.api.route import Result, get, if_match, no_content, versioned, write
from camera_registry.console.cursor import from_cursor, to_cursor
from camera_registry.console.problems import Named, Place, Problem, invalid, not_found
from camera_registry.console.routing import AnyRoute, Asked, Nothing
from camera_registry.model.device import Device
from camera_registry.model.register import KINDS, Item
from camera_registry.rules.access import Action
from camera_registry.rules.inventory.examine import inside
from camera_registry.store import register
from camera_registry.store.register import Stored

_Ask = Asked[Any, Any]


async def _apply(
    asked: _Ask,
    items: list[Item],
    *,
    removed: tuple[tuple[str, str], ...] = (),
    expected: Mapping[tuple[str, str], int],
) -> None:
    """One edit, committed; then the board follows."""
    deps = asked.deps
    await deps.store.write(register.apply, items, removed, author=asked.user.name, at=deps.now(), expected=expected)
    await deps.changed()


def _hold_inside(asked: _Ask, item: Item, before: Item | None) -> None:
    """Hold a new address to the device networks, as an import does: nothing outside them is ever asked. One that was
    there before may stay, for the networks can have been changed since. Raises Problem."""
    networks = [ip_network(network, strict=False) for network in asked.deps.settings().devices.networks]
    if not networks or not isinstance(item, Device) or not item.host or inside(item.host, networks):
        return
    if isinstance(before, Device) and before.host == item.host:
        return
    values = {"value": item.host, "networks": ", ".join(map(str, networks))}
    flaw = "problem.outside_networks"
    place = Place("body.host", asked.words(f"{flaw}.what", **values), asked.words(f"{flaw}.remedy", **values))
    raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", places=[place], n=1)


async def _stored(asked: _Ask, kind: str, id: str) -> Stored:
    found = await asked.deps.store.read(register.get, kind, id)
    if found is None:
        raise not_found(kind, id)
    return found


async def _answer(asked: _Ask, kind: str, id: str) -> BaseModel:
    if kind == "device":
        return await devices.whole(asked, id)
    found = await _stored(asked, kind, id)
    asked.headers["ETag"] = f'"{found.version}"'
    return answers.ItemAnswer.of(found)


def _expected(asked: _Ask, kind: str) -> Mapping[tuple[str, str], int]:
    """The version that If-Match names; none where any will do. Raises Problem."""
    version = if_match(asked.request)
    return {} if version is None else {(kind, asked.item()): version}


def _lister(kind: str) -> Callable[[Asked[questions.ItemsQuestion, Nothing]], Result]:
    async def listed(asked: Asked[questions.ItemsQuestion, Nothing]) -> BaseModel:
        query = asked.query
        after = from_cursor(query.cursor)
        found = await asked.deps.store.read(
            register.page, kind, q=query.q, area=query.area, after=after[1] if after else "", limit=query.limit + 1
        )
        shown = found[: query.limit]
        more = to_cursor((0, shown[-1].item.id)) if len(found) > query.limit else None
        return answers.Listed[answers.ItemAnswer](items=[answers.ItemAnswer.of(one) for one in shown], next=more)

    return listed


def _getter(kind: str) -> Callable[[Asked[Nothing, Nothing]], Result]:
    async def one(asked: Asked[Nothing, Nothing]) -> BaseModel:
        return await _answer(asked, kind, asked.item())

    return one


def _creator(kind: str) -> Callable[[Asked[Nothing, BaseModel]], Result]:
    async def create(asked: Asked[Nothing, BaseModel]) -> BaseModel:
        item = bodies.item(kind, dict(asked.body))
        if await asked.deps.store.read(register.get, kind, item.id) is not None:
            raise Problem(HTTPStatus.CONFLICT, "exists", what=Named(kind, item.id))
        _hold_inside(asked, item, None)
        await _apply(asked, [item], expected={(kind, item.id): 0})
        asked.headers["Location"] = f"{asked.request.path}/{quote(item.id, safe='')}"
        return await _answer(asked, kind, item.id)

    return create


def _putter(kind: str) -> Callable[[Asked[Nothing, BaseModel]], Result]:
    async def put(asked: Asked[Nothing, BaseModel]) -> BaseModel:
        try:
            item = bodies.item(kind, dict(bodies.whole(kind).model_validate({"id": asked.item(), **dict(asked.body)})))
        except ValidationError as error:
            raise invalid(error, "path", asked.words) from error
        id = item.id
        stored = await asked.deps.store.read(register.get, kind, id)
        expected = _expected(asked, kind) if stored else {(kind, id): 0}
        _hold_inside(asked, item, stored.item if stored else None)
        await _apply(asked, [item], expected=expected)
        return await _answer(asked, kind, id)

    return put


def _patcher(kind: str) -> Callable[[Asked[Nothing, BaseModel]], Result]:
    async def patch(asked: Asked[Nothing, BaseModel]) -> BaseModel:
        expected = _expected(asked, kind)
        stored = await _stored(asked, kind, asked.item())
        try:
            item = bodies.patched(kind, stored.item, asked.body)
        except ValidationError as error:
            raise invalid(error, "body", asked.words) from error
        _hold_inside(asked, item, stored.item)
        # Without a version of the asker's, the edit is held to the one it was put together from.
        await _apply(asked, [item], expected=expected or {(kind, stored.item.id): stored.version})
        return await _answer(asked, kind, stored.item.id)

    return patch


def _remover(kind: str) -> Callable[[Asked[Nothing, Nothing]], Result]:
    async def remove(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
        expected = _expected(asked, kind)
        await _stored(asked, kind, asked.item())
        await _apply(asked, [], removed=((kind, asked.item()),), expected=expected)
        return no_content()

    return remove


async def change_life(asked: Asked[Nothing, questions.LifeBody]) -> BaseModel:
    """What people intend for a device. No If-Match: the new life does not depend on the rest of the file."""
    stored = await _stored(asked, "device", asked.item())
    assert isinstance(stored.item, Device)
    item = replace(stored.item, life=asked.body.life)
    await _apply(asked, [item], expected={("device", item.id): stored.version})
    return await devices.whole(asked, item.id)


def _routes(kind: str) -> list[AnyRoute]:
    path, one = f"/{kind}s", f"/{kind}s/{{id}}"
    answer = answers.DeviceAnswer if kind == "device" else answers.ItemAnswer
    lines: list[AnyRoute] = []
    if kind != "device":
        listed = answers.Listed[answers.ItemAnswer]
        lines += [
            get(path, _lister(kind), Action.SEE, questions.ItemsQuestion, listed, f"Every {kind}, by identifier"),
            get(one, _getter(kind), Action.SEE, Nothing, answers.ItemAnswer, f"One {kind}"),
        ]
    whole, put, patch = bodies.whole(kind), bodies.replacement(kind), bodies.patch(kind)
    lines += [
        write(f"POST {path}", _creator(kind), Action.EDIT, whole, answer, f"Register one {kind}"),
        versioned(write(f"PUT {one}", _putter(kind), Action.EDIT, put, answer, f"Put one {kind}")),
        versioned(write(f"PATCH {one}", _patcher(kind), Action.EDIT, patch, answer, f"Edit one {kind}")),
        versioned(write(f"DELETE {one}", _remover(kind), Action.EDIT, Nothing, None, f"Remove one {kind}")),
    ]
    return lines


ROUTES: tuple[AnyRoute, ...] = (
    *(line for kind in KINDS for line in _routes(kind)),
    write(
        "PUT /devices/{id}/life",
        change_life,
        Action.EDIT,
        questions.LifeBody,
        answers.DeviceAnswer,
        "Put a device into service or out of it",
    ),
)
