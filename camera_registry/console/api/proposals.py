"""Searching the device networks over the API, and deciding on what that proposes."""

from __future__ import annotations

from dataclasses import asdict

from camera_registry.console import deciding
from camera_registry.console.api import devices, questions
from camera_registry.console.api import proposal_answers as answers
from camera_registry.console.api.answers import DeviceAnswer, Listed, page
from camera_registry.console.api.route import PREFIX, get, write
from camera_registry.console.routing import AnyRoute, Asked, Nothing, Route, Surface
from camera_registry.model.discovery import Progress
from camera_registry.rules.access import Action
from camera_registry.store import proposals


async def listed(asked: Asked[questions.ProposalsQuestion, Nothing]) -> Listed[answers.ProposalAnswer]:
    query = asked.query
    found = await asked.deps.store.read(
        proposals.page,
        state=query.state,
        before_id=query.before,
        limit=query.limit + 1,
    )
    return page(found, query.limit, answers.ProposalAnswer.of)


async def one(asked: Asked[Nothing, Nothing]) -> answers.ProposalAnswer:
    return answers.ProposalAnswer.of(await deciding.stored(asked))


async def accept(asked: Asked[Nothing, questions.AcceptBody]) -> DeviceAnswer:
    return await devices.whole(asked, await deciding.accept(asked, asked.body.chosen()))


async def reject(asked: Asked[Nothing, questions.RejectBody]) -> answers.ProposalAnswer:
    await deciding.reject(asked, asked.body.reason)
    return answers.ProposalAnswer.of(await deciding.stored(asked))


async def search(asked: Asked[Nothing, questions.SearchBody]) -> answers.SearchAnswer:
    return _search(await deciding.search(asked, resume=asked.body.resume))


async def progress(asked: Asked[Nothing, Nothing]) -> answers.SearchAnswer:
    return _search(asked.deps.discovery.progress)


async def stop(asked: Asked[Nothing, Nothing]) -> answers.SearchAnswer:
    return _search(await deciding.stop(asked))


def _search(known: Progress) -> answers.SearchAnswer:
    return answers.SearchAnswer(**asdict(known))


_ONE = f"{PREFIX}/proposals/{{id}}"

ROUTES: tuple[AnyRoute, ...] = (
    get(
        "/proposals",
        listed,
        Action.SEE,
        questions.ProposalsQuestion,
        Listed[answers.ProposalAnswer],
        "What searches of the device networks propose, newest first",
    ),
    get("/proposals/{id}", one, Action.SEE, Nothing, answers.ProposalAnswer, "One proposal"),
    Route(
        Surface.API,
        "POST",
        f"{_ONE}/accept",
        accept,
        Action.DISCOVER,
        Nothing,
        questions.AcceptBody,
        DeviceAnswer,
        "Take a proposal into the register, by the rules of an import",
    ),
    Route(
        Surface.API,
        "POST",
        f"{_ONE}/reject",
        reject,
        Action.DISCOVER,
        Nothing,
        questions.RejectBody,
        answers.ProposalAnswer,
        "Turn a proposal down; it does not come back before there is other evidence",
    ),
    get("/discovery", progress, Action.SEE, Nothing, answers.SearchAnswer, "How far the search is"),
    write(
        "POST /discovery",
        search,
        Action.DISCOVER,
        questions.SearchBody,
        answers.SearchAnswer,
        "Search the device networks",
    ),
    write(
        "DELETE /discovery",
        stop,
        Action.DISCOVER,
        Nothing,
        answers.SearchAnswer,
        "End the search under way; what it has met is kept",
    ),
)
