"""Notices: what channels are owed and were told, the log of attempts, tests of channels, and what Alertmanager says.

What an Alertmanager tells (webhook, version 4) becomes a note on the open incident that it is about: by the label
``incident`` where we gave it that, else by the label ``device``. Anything else is counted and not kept.
"""

from __future__ import annotations

from camera_registry.board import Board
from camera_registry.console import telling
from camera_registry.console.api import notice_answers as answers
from camera_registry.console.api.answers import Listed, page
from camera_registry.console.api.questions import NewestQuestion
from camera_registry.console.api.route import get, write
from camera_registry.console.found import as_number
from camera_registry.console.routing import AnyRoute, Asked, Nothing
from camera_registry.model.incident import Incident, IncidentChange, Scope
from camera_registry.rules.access import Action
from camera_registry.rules.incidents import edits
from camera_registry.store import incidents, outbox


async def listed(asked: Asked[answers.NoticesQuestion, Nothing]) -> Listed[answers.NoticeAnswer]:
    query = asked.query
    found = await asked.deps.store.read(
        outbox.page,
        channel=query.channel,
        state=query.state,
        incident=query.incident,
        before_id=query.before,
        limit=query.limit + 1,
    )
    return page(found, query.limit, answers.NoticeAnswer.of)


async def attempts(asked: Asked[NewestQuestion, Nothing]) -> Listed[answers.DeliveryAnswer]:
    query = asked.query
    found = await asked.deps.store.read(outbox.attempts, before_id=query.before, limit=query.limit + 1)
    return page(found, query.limit, answers.DeliveryAnswer.of)


async def channels(asked: Asked[Nothing, Nothing]) -> answers.ChannelsAnswer:
    return answers.ChannelsAnswer(items=[answers.ChannelAnswer.of(one) for one in asked.deps.standings()])


async def try_channel(asked: Asked[Nothing, Nothing]) -> answers.DeliveryAnswer:
    return answers.DeliveryAnswer.of(await telling.try_channel(asked))


async def retry(asked: Asked[Nothing, Nothing]) -> answers.CountAnswer:
    return answers.CountAnswer(notices=await telling.retry(asked))


async def dismiss(asked: Asked[Nothing, Nothing]) -> answers.CountAnswer:
    return answers.CountAnswer(notices=await telling.dismiss(asked))


async def hear(asked: Asked[Nothing, answers.AlertmanagerBody]) -> answers.AlertmanagerAnswer:
    deps, body = asked.deps, asked.body
    counts = {"noted": 0, "known": 0, "unmatched": 0}
    for alert in body.alerts:
        incident = _about(alert, deps.board)
        if incident is None:
            counts["unmatched"] += 1
            continue
        text = _text(alert, body.receiver)
        line = await deps.store.read(incidents.time_line, incident.id)
        # It repeats what goes on; once is enough.
        if any(step.text == text for step in line):
            counts["known"] += 1
            continue

        def note(now: Incident, text: str = text) -> IncidentChange:
            return edits.note(now, text, asked.user.name, deps.now())

        edited = await deps.edit_incident(incident.id, note)
        counts["unmatched" if edited is None else "noted"] += 1
    return answers.AlertmanagerAnswer(**counts)


def _about(alert: answers.ForeignAlert, board: Board) -> Incident | None:
    named = as_number(alert.labels.get("incident", ""))
    if named is not None:
        return board.incidents.get(named)
    device = alert.labels.get("device", "")
    mine = (one for one in board.incidents.values() if one.scope is Scope.DEVICE and one.about == device)
    return min(mine, key=lambda one: (one.parent is not None, one.id), default=None)


def _text(alert: answers.ForeignAlert, receiver: str) -> str:
    summary = alert.annotations.get("summary", "")
    text = f"Alertmanager {receiver}: {alert.labels.get('alertname', '')} {alert.status}: {summary}"
    return "".join(letter if letter.isprintable() else " " for letter in text)[:500]


ROUTES: tuple[AnyRoute, ...] = (
    get(
        "/notices",
        listed,
        Action.SEE,
        answers.NoticesQuestion,
        Listed[answers.NoticeAnswer],
        "Notices, newest first",
    ),
    get(
        "/deliveries",
        attempts,
        Action.SEE,
        NewestQuestion,
        Listed[answers.DeliveryAnswer],
        "Attempts to send messages, newest first",
    ),
    get(
        "/notices/channels",
        channels,
        Action.SEE,
        Nothing,
        answers.ChannelsAnswer,
        "Channels of notices and how they do",
    ),
    write(
        "POST /notices/channels/{id}/test",
        try_channel,
        Action.NOTIFY,
        Nothing,
        answers.DeliveryAnswer,
        "Send a test message at once",
    ),
    write(
        "POST /notices/{id}/retry",
        retry,
        Action.NOTIFY,
        Nothing,
        answers.CountAnswer,
        "Have a failed notice sent again, with all of its message",
    ),
    write(
        "POST /notices/channels/{id}/dismiss",
        dismiss,
        Action.NOTIFY,
        Nothing,
        answers.CountAnswer,
        "Give up what a channel refused, and all that is owed to one that is no longer in the settings",
    ),
    write(
        "POST /alertmanager",
        hear,
        Action.HANDLE,
        answers.AlertmanagerBody,
        answers.AlertmanagerAnswer,
        "Take what an Alertmanager tells (webhook, version 4) as notes on open incidents",
    ),
)
