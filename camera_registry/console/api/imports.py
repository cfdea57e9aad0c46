"""Importing an inventory file: a dry run says what would change and every problem; a real one writes all or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

from camera_registry.console import uploads
from camera_registry.console.api import answers, questions
from camera_registry.console.api.route import PREFIX
from camera_registry.console.problems import Place, Problem
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.rules.access import Action, authorize
from camera_registry.rules.inventory import files
from camera_registry.rules.inventory.examine import Inventory
from camera_registry.rules.inventory.problems import Problem as Flawed
from camera_registry.rules.inventory.problems import Severity
from camera_registry.rules.inventory.sheets import Sheet, Unreadable
from camera_registry.store import intake
from camera_registry.texts import Texts


async def take(asked: Asked[questions.ImportQuestion, Nothing]) -> answers.ImportAnswer:
    deps, words = asked.deps, asked.words
    sheets = await _sheets(asked.request)
    networks = deps.settings().devices.networks
    looked = await deps.store.read(intake.look, sheets, networks)
    found, written = looked.inventory, len(looked.inventory.credentials)
    if found.credentials:
        authorize(asked.user, Action.CREDENTIALS)
    if not asked.query.dry_run and found.sound:
        found, written = await deps.store.write(
            intake.take, sheets, networks, looked, deps.vault, author=asked.user.name, at=deps.now()
        )
        await deps.changed()
    if not asked.query.dry_run and not found.sound:
        raise _refused(found, words)
    return answers.ImportAnswer(
        dry_run=asked.query.dry_run,
        written=not asked.query.dry_run,
        created=found.created,
        changed=found.changed,
        unchanged=found.unchanged,
        credentials=written,
        problems=[_told(one, words) for one in found.problems],
    )


async def _sheets(request: web.Request) -> Sequence[Sheet]:
    content = await uploads.file(request)
    try:
        return await asyncio.to_thread(files.read, content)
    except Unreadable as error:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "unreadable", why=str(error)) from error


def _told(one: Flawed, words: Texts) -> answers.ImportProblem:
    message, remedy = words.problem(one.flaw, {"value": one.value, **one.details})
    return answers.ImportProblem(
        severity=one.severity.value,
        kind=one.flaw.value,
        sheet=one.sheet,
        row=one.row,
        column=one.column,
        value=one.value,
        message=message,
        remedy=remedy,
    )


def _refused(found: Inventory, words: Texts) -> Problem:
    errors = [one for one in found.problems if one.severity is Severity.ERROR]
    places = [
        Place(_place(one, words), *words.problem(one.flaw, {"value": one.value, **one.details})) for one in errors
    ]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "import", places=places, n=len(places))


def _place(one: Flawed, words: Texts) -> str:
    column = words.column(one.column, lacks=one.lacks)
    return " ".join(filter(None, (one.sheet, f"{one.row}" if one.row else "", column)))


ROUTES: tuple[AnyRoute, ...] = (
    Route(
        Surface.API,
        "POST",
        f"{PREFIX}/import",
        take,
        Action.EDIT,
        questions.ImportQuestion,
        Nothing,
        answers.ImportAnswer,
        "Import an inventory file (CSV or XLSX), as the body or as the file of a form; all or nothing",
    ),
)
