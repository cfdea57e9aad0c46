"""The weather that cameras show, and what is in doubt for it."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, Field

from camera_registry.console import doubts
from camera_registry.console.api.answers import Copied, Listed
from camera_registry.console.api.route import get
from camera_registry.console.doubts import Doubts
from camera_registry.console.found import on_board
from camera_registry.console.routing import AnyRoute, Asked, Nothing
from camera_registry.model.health import Cause
from camera_registry.rules.access import Action


class WeatherAnswer(Copied):
    """So many cameras of an area show the same at once that it is held to be weather."""

    area: str = Field(description="empty: all areas")
    since: AwareDatetime
    showing: int = Field(description="cameras whose newest picture shows what weather makes")
    judged: int = Field(description="cameras of the area that were judged of late, in the same light")
    until: AwareDatetime = Field(description="nothing weak that weather makes is believed of any of them before")
    season: AwareDatetime = Field(description="from when on it has lasted for so long that people should look")


class DoubtAnswer(Copied):
    """What pictures have shown, but not clearly or long enough to be believed."""

    channel: str
    cause: Cause
    by_day: bool = Field(description="false: by night")
    since: AwareDatetime
    shown: int = Field(description="pictures that show it")
    pictures: int = Field(description="of so many that count")
    until: AwareDatetime = Field(description="when it is believed at the earliest, if all that come show it as clearly")
    held: bool = Field(description="it may be the weather: until moves away while that lasts")


class WaitAnswer(BaseModel):
    """What waits for whether it is weather that comes, for others of the area began to show the like at the time."""

    channel: str
    causes: list[Cause]
    since: AwareDatetime = Field(description="when the camera began to show it")
    area: str = Field(description="of the cameras; empty: all areas")
    cameras: int = Field(description="how many of them have begun to show it within `comes` of [health.weather]")
    until: AwareDatetime = Field(description="nothing of it is believed before; later, if more of them begin")


class DoubtsAnswer(BaseModel):
    """What is in doubt of one device."""

    weather: WeatherAnswer | None
    items: list[DoubtAnswer]
    waiting: list[WaitAnswer]

    @classmethod
    def of(cls, found: Doubts) -> DoubtsAnswer:
        return cls(
            weather=found.weather and WeatherAnswer.of(found.weather),
            items=[
                DoubtAnswer(
                    channel=channel,
                    cause=one.cause,
                    by_day=one.by_day,
                    since=one.since,
                    shown=one.shown,
                    pictures=one.pictures,
                    until=one.until,
                    held=one.held,
                )
                for channel, ones in found.by_channel.items()
                for one in ones
            ],
            waiting=[
                WaitAnswer(
                    channel=one.channel,
                    causes=list(one.causes),
                    since=one.since,
                    area=one.coming.area,
                    cameras=len(one.coming.began),
                    until=one.coming.until,
                )
                for one in found.waiting
            ],
        )


async def listed(asked: Asked[Nothing, Nothing]) -> Listed[WeatherAnswer]:
    found = asked.deps.sightings.told(asked.deps.now())
    return Listed(items=[WeatherAnswer.of(one) for one in found], next=None)


async def doubts_of(asked: Asked[Nothing, Nothing]) -> DoubtsAnswer:
    return DoubtsAnswer.of(doubts.of(asked, on_board(asked.deps.board, asked.item())))


ROUTES: tuple[AnyRoute, ...] = (
    get("/weather", listed, Action.SEE, Nothing, Listed[WeatherAnswer], "What many cameras of an area show at once"),
    get("/devices/{id}/doubts", doubts_of, Action.SEE, Nothing, DoubtsAnswer, "What pictures show, not believed yet"),
)
