"""Credentials of devices: written and removed, never read back."""

from __future__ import annotations

from aiohttp import web

from camera_registry.console.api import people_answers as answers
from camera_registry.console.api import questions
from camera_registry.console.api.answers import Listed
from camera_registry.console.api.route import get, no_content, write
from camera_registry.console.problems import not_found
from camera_registry.console.routing import AnyRoute, Asked, Nothing
from camera_registry.rules.access import Action
from camera_registry.store import Store, credentials


async def listed(asked: Asked[Nothing, Nothing]) -> Listed[answers.CredentialAnswer]:
    return Listed(items=await _all(asked.deps.store))


async def put(asked: Asked[Nothing, questions.CredentialBody]) -> answers.CredentialAnswer:
    deps, body = asked.deps, asked.body
    await deps.store.write(
        credentials.put,
        deps.vault,
        asked.item(),
        body.username,
        body.password.get_secret_value(),
        author=asked.user.name,
        at=deps.now(),
    )
    await deps.changed()
    return next(one for one in await _all(deps.store) if one.id == asked.item())


async def remove(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    deps = asked.deps
    if not await deps.store.write(credentials.remove, asked.item(), author=asked.user.name, at=deps.now()):
        raise not_found("credential", asked.item())
    await deps.changed()
    return no_content()


async def _all(store: Store) -> list[answers.CredentialAnswer]:
    return [answers.CredentialAnswer.of(one) for one in await store.read(credentials.listed)]


ROUTES: tuple[AnyRoute, ...] = (
    get(
        "/credentials",
        listed,
        Action.SEE_ACCESS,
        Nothing,
        Listed[answers.CredentialAnswer],
        "Names of credentials and how many devices use each",
    ),
    write(
        "PUT /credentials/{id}",
        put,
        Action.CREDENTIALS,
        questions.CredentialBody,
        answers.CredentialAnswer,
        "Set a credential; it can't be read back",
    ),
    write(
        "DELETE /credentials/{id}",
        remove,
        Action.CREDENTIALS,
        Nothing,
        None,
        "Remove a credential that no device uses",
    ),
)
