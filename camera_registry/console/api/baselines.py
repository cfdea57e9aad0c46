"""Pictures that show how a view is meant to look: which there are, accepting one, taking one back."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from camera_registry.console import accepting, identity
from camera_registry.console.api.answers import Copied, Listed
from camera_registry.console.api.questions import Question, Text
from camera_registry.console.api.route import get, no_content, write
from camera_registry.console.found import on_board
from camera_registry.console.problems import not_found
from camera_registry.console.routing import AnyRoute, Asked, Nothing
from camera_registry.model.baseline import Regime
from camera_registry.rules.access import Action
from camera_registry.store import audit
from camera_registry.store.pictures import PictureKind


class BaselineAnswer(Copied):
    """One accepted picture. ``by`` is who accepted it; ``reason`` why what looks like a fault is normal here."""

    id: int
    channel: str
    regime: Regime
    taken_at: AwareDatetime
    by: str
    accepted_at: AwareDatetime
    reason: str


class AcceptBody(Question):
    """Which kept picture of which channel. A picture in doubt needs a reason: it is taken for normal from then on.
    ``taken``: when the picture was taken that was looked at; another one that has come in its place is refused then."""

    channel: Text = ""
    kind: PictureKind = PictureKind.LAST
    reason: str = Field("", max_length=2000)
    taken: AwareDatetime | None = None


async def listed(asked: Asked[Nothing, Nothing]) -> Listed[BaselineAnswer]:
    entry = on_board(asked.deps.board, asked.item())
    kept = (one for channel in accepting.channels(entry) for one in asked.deps.gallery.of(entry.device.id, channel))
    return Listed(items=[BaselineAnswer.of(one) for one in kept], next=None)


async def accept(asked: Asked[Nothing, AcceptBody]) -> BaselineAnswer:
    body = asked.body
    return BaselineAnswer.of(await accepting.accept(asked, body.channel, body.kind, body.reason, body.taken))


async def take_back(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    await accepting.take_back(asked)
    return no_content()


async def picture(asked: Asked[Nothing, Nothing]) -> web.StreamResponse:
    """The picture itself. Looking at it is written into the audit trail before it is shown."""
    kept = accepting.named(asked)
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
