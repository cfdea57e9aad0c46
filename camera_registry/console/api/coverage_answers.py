"""What the API and the command `audit coverage` say of coverage. Ratios are shares from 0 to 1, lengths seconds; what
is not known is null, never 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from camera_registry.model.coverage import PointKind, Sight, ViewState
from camera_registry.model.register import Register
from camera_registry.rules.coverage.demand import Kept, demand
from camera_registry.rules.coverage.period import SitePeriod, Totals
from camera_registry.rules.coverage.points import Loss, Single
from camera_registry.rules.coverage.standing import SiteSeen


class ChannelAnswer(BaseModel):
    channel: str
    device: str
    sight: Sight
    planned: bool


class ViewAnswer(BaseModel):
    view: str
    name: str
    state: ViewState
    channels: list[ChannelAnswer]


class PointAnswer(BaseModel):
    """A device or source of power whose loss alone uncovers ``views``; ``whole``: none that is covered is left."""

    kind: PointKind
    id: str
    views: list[str]
    whole: bool

    @classmethod
    def of(cls, single: Single) -> PointAnswer:
        return cls(kind=single.point.kind, id=single.point.id, views=list(single.views), whole=single.whole)


class SiteAnswer(BaseModel):
    """``ratio`` is null while a view is not known, and outside the hours in force."""

    site: str
    name: str
    area: str
    in_force: bool
    dark: bool = Field(description="it is known to have no usable view")
    required: int
    covered: int
    uncovered: int
    planned: int
    unknown: int
    ratio: float | None
    views: list[ViewAnswer]
    single_points: list[PointAnswer]

    @classmethod
    def of(cls, seen: SiteSeen, singles: Iterable[Single]) -> SiteAnswer:
        counts = {state.value: seen.count(state) if seen.in_force else 0 for state in ViewState}
        views = [
            ViewAnswer(
                view=one.view.id,
                name=one.view.name,
                state=one.state,
                channels=[
                    ChannelAnswer(channel=each.channel, device=each.device, sight=each.sight, planned=each.planned)
                    for each in one.channels
                ],
            )
            for one in seen.views
        ]
        return cls(
            site=seen.site.id,
            name=seen.site.name,
            area=seen.site.area,
            in_force=seen.in_force,
            dark=seen.dark,
            required=seen.required,
            ratio=seen.ratio,
            views=views,
            single_points=[PointAnswer.of(single) for single in singles],
            **counts,
        )


class Summary(BaseModel):
    """All sites together. ``ratio`` is of the views of which something is known."""

    sites: int
    without_views: list[str] = Field(
        description="sites of which nothing is required, so that no coverage can be told: errors of the register"
    )
    dark_sites: int = Field(description="sites known to have no usable view")
    full_sites: int = Field(description="sites with every required view covered")
    required: int
    covered: int
    uncovered: int
    planned: int
    unknown: int
    ratio: float | None

    @classmethod
    def of(cls, sites: Sequence[SiteSeen]) -> Summary:
        due = [one for one in sites if one.in_force]
        counts = {state.value: sum(one.count(state) for one in due) for state in ViewState}
        known = counts["covered"] + counts["uncovered"]
        return cls(
            sites=len(sites),
            without_views=sorted(one.site.id for one in sites if not one.views),
            dark_sites=sum(one.dark for one in due),
            full_sites=sum(bool(one.views) and one.count(ViewState.COVERED) == len(one.views) for one in due),
            required=sum(one.required for one in due),
            ratio=counts["covered"] / known if known else None,
            **counts,
        )


class LossAnswer(BaseModel):
    """What one site loses: ``lost`` views are uncovered, ``single`` ones left with one device; ``dark``: no view is
    left."""

    site: str
    lost: list[str]
    single: list[str]
    dark: bool

    @classmethod
    def of(cls, loss: Loss) -> LossAnswer:
        return cls(site=loss.site, lost=list(loss.lost), single=list(loss.single), dark=loss.dark)


class CoverageAnswer(BaseModel):
    """How sites are or were covered at one moment, those without any usable view first."""

    at: datetime
    summary: Summary
    sites: list[SiteAnswer]


class WhatIfAnswer(BaseModel):
    """What is lost without some devices, site by site; sites that lose nothing are left out."""

    at: datetime
    without: list[str]
    sites: list[LossAnswer]


class SpanAnswer(BaseModel):
    begin: datetime
    end: datetime


class PieceAnswer(SpanAnswer):
    state: ViewState


class TimesAnswer(BaseModel):
    """Seconds that required views were in each state; ``ratio`` = covered / (covered + uncovered)."""

    covered: float
    uncovered: float
    planned: float
    unknown: float
    ratio: float | None

    @classmethod
    def told(cls, totals: Totals) -> TimesAnswer:
        return cls(
            covered=totals.covered / _SECOND,
            uncovered=totals.uncovered / _SECOND,
            planned=totals.planned / _SECOND,
            unknown=totals.unknown / _SECOND,
            ratio=totals.ratio,
        )


class ViewPeriodAnswer(BaseModel):
    view: str
    name: str
    times: TimesAnswer
    pieces: list[PieceAnswer]


class SitePeriodAnswer(BaseModel):
    """``kept``: whether it was covered as ``required_availability`` asks, a share from 0 to 1; ``too_long_seconds`` for
    how much longer than that allows views were uncovered.

    ``dark`` are the spans in which it is known to have had no usable view, ``dark_seconds`` their sum;
    ``dark_planned_seconds`` and ``dark_unknown_seconds`` the time that planned work alone, or silence, was why."""

    site: str
    name: str
    times: TimesAnswer
    required_availability: float | None
    kept: Kept
    too_long_seconds: float
    dark_seconds: float
    dark_planned_seconds: float
    dark_unknown_seconds: float
    dark: list[SpanAnswer]
    views: list[ViewPeriodAnswer]

    @classmethod
    def of(cls, period: SitePeriod, register: Register, *, pieces: bool) -> SitePeriodAnswer:
        known = register.sites.get(period.site)
        asked = demand(period.totals, known.required_availability if known else None)
        return cls(
            site=period.site,
            name=_name(register.sites, period.site),
            times=TimesAnswer.told(period.totals),
            required_availability=asked.share,
            kept=asked.kept,
            too_long_seconds=asked.too_long / _SECOND,
            dark_seconds=period.dark_time / _SECOND,
            dark_planned_seconds=period.dark_planned / _SECOND,
            dark_unknown_seconds=period.dark_unknown / _SECOND,
            dark=[SpanAnswer(begin=begin, end=end) for begin, end in period.dark],
            views=[
                ViewPeriodAnswer(
                    view=view.view,
                    name=_name(register.views, view.view),
                    times=TimesAnswer.told(view.totals),
                    pieces=[PieceAnswer(begin=one.begin, end=one.end, state=one.state) for one in view.pieces]
                    if pieces
                    else [],
                )
                for view in period.views
            ],
        )


class PeriodAnswer(BaseModel):
    """Coverage weighted by time, exact to the microsecond: longest without any usable view first."""

    since: datetime
    until: datetime
    formula: str = "time covered / (time covered + time uncovered), of required views in their hours in force"
    times: TimesAnswer
    sites: list[SitePeriodAnswer]

    @classmethod
    def of(
        cls, sites: Sequence[SitePeriod], register: Register, since: datetime, until: datetime, *, pieces: bool = False
    ) -> PeriodAnswer:
        return cls(
            since=since,
            until=until,
            times=TimesAnswer.told(sum((one.totals for one in sites), Totals())),
            sites=[SitePeriodAnswer.of(one, register, pieces=pieces) for one in sites],
        )


_SECOND = timedelta(seconds=1)


def _name(items: Mapping[str, object], id: str) -> str:
    return str(getattr(items.get(id), "name", ""))
