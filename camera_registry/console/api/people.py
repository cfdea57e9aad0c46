"""Sessions, users, tokens and the audit trail."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from aiohttp import web

from camera_registry.console import signing
from camera_registry.console.api import people_answers as answers
from camera_registry.console.api import questions
from camera_registry.console.api.answers import Listed, page
from camera_registry.console.api.route import PREFIX, get, no_content, write
from camera_registry.console.problems import Problem, not_found
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.model.people import User
from camera_registry.rules.access import PERMITTED, Action
from camera_registry.store import Store, Transaction, access, audit, tokens
from camera_registry.store.access import Account


async def session(asked: Asked[Nothing, Nothing]) -> answers.SessionAnswer:
    return _session(asked.user, asked.who.csrf if asked.who else "")


async def sign_in(asked: Asked[Nothing, questions.SignInBody]) -> web.StreamResponse:
    begun = await signing.sign_in(asked, asked.body.name, asked.body.password.get_secret_value())
    answer = _session(begun.user, begun.csrf)
    response = web.Response(
        status=HTTPStatus.CREATED, body=answer.model_dump_json().encode(), content_type="application/json"
    )
    signing.set_cookie(response, begun, asked.deps.settings())
    return response


async def sign_out(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    await signing.sign_out(asked)
    response = no_content()
    signing.clear_cookie(response, asked.deps.settings())
    return response


def _session(user: User, csrf: str) -> answers.SessionAnswer:
    actions = sorted(action.value for action in PERMITTED[user.role])
    return answers.SessionAnswer(
        name=user.name, role=user.role, language=user.language, crew=user.crew, csrf=csrf, actions=actions
    )


async def users(asked: Asked[Nothing, Nothing]) -> Listed[answers.UserAnswer]:
    return Listed(items=[_user(one) for one in await asked.deps.store.read(access.accounts)])


async def create_user(asked: Asked[Nothing, questions.NewUserBody]) -> answers.UserAnswer:
    deps, body = asked.deps, asked.body
    password_hash = await signing.hashed(asked, body.password.get_secret_value(), body.name)
    user = User(body.name, body.role, body.language, crew=body.crew)
    await deps.store.write(access.create_account, user, password_hash, author=asked.user.name, at=deps.now())
    return _user(await _account(deps.store, body.name))


async def edit_user(asked: Asked[Nothing, questions.UserBody]) -> answers.UserAnswer:
    """A changed role or crew, a new password and a closed account end the user's sessions."""
    deps, body, author = asked.deps, asked.body, asked.user.name
    before = (await _account(deps.store, asked.item())).user
    given = body.model_dump(include={"role", "language", "active", "crew"}, exclude_none=True)
    user, at = replace(before, **given), deps.now()
    kept = None if body.password is None else await signing.hashed(asked, body.password.get_secret_value(), user.name)

    def edit(tx: Transaction) -> None:
        if kept is not None:
            access.set_password(tx, user.name, kept, author=author, at=at)
        access.edit_account(tx, user, author=author, at=at)

    await deps.store.write(edit)
    return _user(await _account(deps.store, user.name))


async def remove_user(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    deps = asked.deps
    await _account(deps.store, asked.item())
    await deps.store.write(access.remove_account, asked.item(), author=asked.user.name, at=deps.now())
    return no_content()


async def _account(store: Store, name: str) -> Account:
    found = await store.read(access.account, name)
    if found is None:
        raise not_found("user", name)
    return found


def _user(account: Account) -> answers.UserAnswer:
    user = account.user
    return answers.UserAnswer(
        name=user.name,
        role=user.role,
        language=user.language,
        active=user.active,
        crew=user.crew,
        created_at=account.created_at,
    )


async def list_tokens(asked: Asked[Nothing, Nothing]) -> Listed[answers.TokenAnswer]:
    return Listed(items=[answers.TokenAnswer.of(one) for one in await asked.deps.store.read(tokens.listed)])


async def create_token(asked: Asked[Nothing, questions.TokenBody]) -> answers.NewTokenAnswer:
    deps, body = asked.deps, asked.body
    if body.expires_at is not None and body.expires_at <= deps.now():
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "expired")
    text = await deps.store.write(
        tokens.create, body.name, body.role, expires_at=body.expires_at, author=asked.user.name, at=deps.now()
    )
    return answers.NewTokenAnswer(token=text)


async def revoke_token(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    deps = asked.deps
    if not await deps.store.write(tokens.revoke, asked.item(), author=asked.user.name, at=deps.now()):
        raise not_found("token", asked.item())
    return no_content()


async def trail(asked: Asked[questions.AuditQuestion, Nothing]) -> Listed[answers.AuditAnswer]:
    query = asked.query
    found = await asked.deps.store.read(
        audit.trail,
        about=query.about,
        actor=query.actor,
        before_id=query.before,
        limit=query.limit + 1,
    )
    return page(found, query.limit, answers.AuditAnswer.of)


_User, _Users = answers.UserAnswer, Listed[answers.UserAnswer]
_Tokens, _Audit = Listed[answers.TokenAnswer], Listed[answers.AuditAnswer]

ROUTES: tuple[AnyRoute, ...] = (
    get("/session", session, Action.OWN, Nothing, answers.SessionAnswer, "Who asks, and what they may do"),
    Route(
        Surface.OPEN,
        "POST",
        f"{PREFIX}/session",
        sign_in,
        None,
        Nothing,
        questions.SignInBody,
        answers.SessionAnswer,
        "Sign in; the cookie is the session",
    ),
    write("DELETE /session", sign_out, Action.OWN, Nothing, None, "Sign out"),
    get("/users", users, Action.SEE_ACCESS, Nothing, _Users, "Everybody who may sign in"),
    write("POST /users", create_user, Action.ADMINISTER, questions.NewUserBody, _User, "Add a user"),
    write("PATCH /users/{id}", edit_user, Action.ADMINISTER, questions.UserBody, _User, "Change a user"),
    write("DELETE /users/{id}", remove_user, Action.ADMINISTER, Nothing, None, "Remove a user"),
    get("/tokens", list_tokens, Action.SEE_ACCESS, Nothing, _Tokens, "Tokens of programs, without their secrets"),
    write(
        "POST /tokens",
        create_token,
        Action.ADMINISTER,
        questions.TokenBody,
        answers.NewTokenAnswer,
        "Make a token; it is shown once",
    ),
    write("DELETE /tokens/{id}", revoke_token, Action.ADMINISTER, Nothing, None, "End a token at once"),
    get("/audit", trail, Action.SEE_AUDIT, questions.AuditQuestion, _Audit, "The audit trail, newest first"),
)
