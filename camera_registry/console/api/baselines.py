"""Pictures that show how a view is meant to look: which there are, accepting one, taking one back."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Self

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, Field

from camera_registry.board import BoardEntry
from camera_registry.console import identity
from camera_registry.console.api.answers import Listed
from camera_registry.console.api.questions import Question, Text
from camera_registry.console.api.route import get, no_content, write
from camera_registry.console.found import on_board
from camera_registry.console.problems import Problem, not_found
from camera_registry.console.routing import AnyRoute, Asked, Nothing
from camera_registry.model.baseline import Baseline, Regime
from camera_registry.model.health import Cause
from camera_registry.rules.access import Action
from camera_registry.rules.pictures.watching import doubts
from camera_registry.store import audit
from camera_registry.store.baselines import Unfit
from camera_registry.store.pictures import PictureKind


class BaselineAnswer(BaseModel):
    """One accepted picture. ``by`` is who accepted it; ``reason`` why what looks like a fault is normal here."""

    id: int
    channel: str
    regime: Regime
    taken_at: AwareDatetime
    by: str
    accepted_at: AwareDatetime
    reason: str

    @classmethod
    def of(cls, kept: Baseline) -> Self:
        return cls(
            id=kept.id,
            channel=kept.channel,
            regime=kept.regime,
            taken_at=kept.taken_at,
            by=kept.by,
            accepted_at=kept.accepted_at,
            reason=kept.reason,
        )


class AcceptBody(Question):
    """Which kept picture of which channel. A picture in doubt needs a reason: it is taken for normal from then on."""

    channel: Text = ""
    kind: PictureKind = PictureKind.LAST
    reason: str = Field("", max_length=2000)


async def listed(asked: Asked[Nothing, Nothing]) -> Listed[BaselineAnswer]:
    entry = on_board(asked.deps.board, asked.item())
    kept = (one for channel in channels(entry) for one in asked.deps.gallery.of(entry.device.id, channel))
    return Listed(items=[BaselineAnswer.of(one) for one in kept], next=None)


async def accept(asked: Asked[Nothing, AcceptBody]) -> BaselineAnswer:
    body = asked.body
    entry = on_board(asked.deps.board, asked.item())
    channel = body.channel or (entry.channels[0].id if len(entry.channels) == 1 else "")
    if channel not in channels(entry):
        raise not_found("channel", channel)
    return BaselineAnswer.of(await accepted(asked, entry, channel, body.kind, body.reason))


async def accepted(asked: Asked[Any, Any], entry: BoardEntry, channel: str, kind: PictureKind, reason: str) -> Baseline:
    """Accept a picture for whoever asks. Raises Problem."""
    found = [] if kind is PictureKind.LAST_GOOD else in_doubt(entry, channel)
    if not reason.strip() and (found or kind is PictureKind.LAST_FAULTY):
        causes = asked.words("list.comma").join(asked.words.name(cause) for cause in found) or "–"
        raise Problem(HTTPStatus.CONFLICT, "doubtful_picture", causes=causes)
    try:
        return await asked.deps.gallery.accept(entry.device, channel, kind, reason.strip(), asked.user.name)
    except Unfit as error:
        if not str(error):
            raise not_found("snapshot", entry.device.id) from error
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "unfit_picture", why=str(error)) from error


def channels(entry: BoardEntry) -> list[str]:
    return [channel.id for channel in entry.channels] or [""]


def in_doubt(entry: BoardEntry, channel: str) -> list[Cause]:
    """What the newest judgement of a channel finds wrong with its picture."""
    return [cause for run in entry.probes if run.channel == channel for cause in doubts(run.facts)]


async def take_back(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    if await asked.deps.gallery.take_back(_one(asked).id, asked.user.name) is None:
        raise not_found("baseline", asked.request.match_info["number"])
    return no_content()


async def picture(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    """The picture itself. Looking at it is written into the audit trail before it is shown."""
    kept = _one(asked)
    jpeg = await asked.deps.gallery.picture(kept)
    if jpeg is None:
        raise not_found("baseline", kept.id)
    detail = {"kind": "baseline", "channel": kept.channel, "taken": kept.taken_at.isoformat()}
    detail["address"] = identity.address(asked.request)
    at, about = asked.deps.now(), f"device/{kept.device}"
    await asked.deps.store.write(audit.append, asked.user.name, "snapshot.view", about, detail, at)
    response = web.Response(body=jpeg, content_type="image/jpeg")
    response.last_modified = kept.taken_at
    return response


def _one(asked: Asked[Nothing, Nothing]) -> Baseline:
    entry = on_board(asked.deps.board, asked.item())
    number = asked.request.match_info["number"]
    for channel in channels(entry):
        for kept in asked.deps.gallery.of(entry.device.id, channel):
            if str(kept.id) == number:
                return kept
    raise not_found("baseline", number)


_ALL, _ONE = "/devices/{id}/baselines", "/devices/{id}/baselines/{number}"

ROUTES: tuple[AnyRoute, ...] = (
    get(_ALL, listed, Action.SEE, Nothing, Listed[BaselineAnswer], "Pictures that show how views are meant to look"),
    write(f"POST {_ALL}", accept, Action.ACCEPT, AcceptBody, BaselineAnswer, "Accept a kept picture as one of them"),
    write(f"DELETE {_ONE}", take_back, Action.ACCEPT, Nothing, None, "Take an accepted picture back"),
    get(
        f"{_ONE}/picture",
        picture,
        Action.SEE_PICTURES,
        Nothing,
        None,
        "An accepted picture (JPEG); audited",
    ),
)
