"""Setting up, signing in and out, and one's own password."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from aiohttp import web
from pydantic import Field

from camera_registry.console import signing
from camera_registry.console.pages.show import go_to, show
from camera_registry.console.problems import Problem
from camera_registry.console.render import home
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.console.schemas import Form, PageQuery
from camera_registry.rules.access import Action


class SignInQuery(PageQuery):
    """Where to go afterwards."""

    next: str = Field("/", max_length=1000)


class SetupQuery(PageQuery):
    """The link that ``init`` prints carries the token."""

    token: str = Field("", max_length=200)


class AccountQuery(PageQuery):
    """``done``: the password has just been changed."""

    done: bool = False


class SignInForm(Form):
    name: str = Field(max_length=64)
    password: str = Field(max_length=1024, repr=False)
    next: str = Field("/", max_length=1000)


class SetupForm(Form):
    token: str = Field(max_length=200, repr=False)
    name: str = Field(max_length=64)
    password: str = Field(max_length=1024, repr=False)
    again: str = Field(max_length=1024, repr=False)


class PasswordForm(Form):
    old: str = Field(max_length=1024, repr=False)
    password: str = Field(max_length=1024, repr=False)
    again: str = Field(max_length=1024, repr=False)


async def sign_in_page(asked: Asked[SignInQuery, Nothing]) -> web.StreamResponse:
    if await signing.is_new(asked.deps):
        return go_to("/setup")
    if asked.who is not None:
        after = inside(asked.query.next)
        return go_to(home(asked.who.user) if after == "/" else after)
    return show(asked, "sign_in.html", next=inside(asked.query.next), name="", wrong="")


async def sign_in(asked: Asked[PageQuery, SignInForm]) -> web.StreamResponse:
    form = asked.body
    try:
        session = await signing.sign_in(asked, form.name, form.password)
    except Problem as problem:
        return _again(asked, problem, "sign_in.html", next=inside(form.next), name=form.name)
    after = inside(form.next)
    response = go_to(home(session.user) if after == "/" else after)
    signing.set_cookie(response, session, asked.deps.settings())
    return response


async def sign_out(asked: Asked[PageQuery, Nothing]) -> web.StreamResponse:
    await signing.sign_out(asked)
    response = go_to("/sign-in")
    signing.clear_cookie(response, asked.deps.settings())
    return response


async def setup_page(asked: Asked[SetupQuery, Nothing]) -> web.StreamResponse:
    if not await signing.is_new(asked.deps):
        return go_to("/sign-in")
    return show(asked, "setup.html", token=asked.query.token, name="admin", wrong="")


async def setup(asked: Asked[PageQuery, SetupForm]) -> web.StreamResponse:
    form = asked.body
    try:
        _same(form.password, form.again)
        session = await signing.set_up(asked, form.token.strip(), form.name, form.password)
    except Problem as problem:
        return _again(asked, problem, "setup.html", token=form.token, name=form.name)
    response = go_to("/")
    signing.set_cookie(response, session, asked.deps.settings())
    return response


async def account_page(asked: Asked[AccountQuery, Nothing]) -> web.StreamResponse:
    return show(asked, "account.html", done=asked.query.done, wrong="")


async def account(asked: Asked[PageQuery, PasswordForm]) -> web.StreamResponse:
    form = asked.body
    try:
        _same(form.password, form.again)
        session = await signing.change_password(asked, form.old, form.password)
    except Problem as problem:
        return _again(asked, problem, "account.html", done=False)
    response = go_to("/account?done=1")
    signing.set_cookie(response, session, asked.deps.settings())
    return response


def inside(path: str) -> str:
    """A path of ours to go on to; anything that could lead elsewhere becomes the first page."""
    safe = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if safe else "/"


def _same(password: str, again: str) -> None:
    if password != again:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "passwords_differ")


def _again(asked: Asked[Any, Any], problem: Problem, template: str, **values: object) -> web.Response:
    """The form once more, with what was wrong."""
    wrong = f"{problem.detail(asked.words)} {problem.remedy(asked.words)}"
    response = show(asked, template, problem.status, wrong=wrong, **values)
    response.headers.update(problem.headers)
    return response


ROUTES: tuple[AnyRoute, ...] = (
    Route(Surface.OPEN, "GET", "/sign-in", sign_in_page, None, SignInQuery, Nothing),
    Route(Surface.OPEN, "POST", "/sign-in", sign_in, None, PageQuery, SignInForm),
    Route(Surface.PAGE, "POST", "/sign-out", sign_out, Action.OWN, PageQuery, Nothing),
    Route(Surface.OPEN, "GET", "/setup", setup_page, None, SetupQuery, Nothing),
    Route(Surface.OPEN, "POST", "/setup", setup, None, PageQuery, SetupForm),
    Route(Surface.PAGE, "GET", "/account", account_page, Action.OWN, AccountQuery, Nothing),
    Route(Surface.PAGE, "POST", "/account", account, Action.OWN, PageQuery, PasswordForm),
)
