"""The command `audit coverage`: how key sites are covered now, at a past moment, over a month, or without devices."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from camera_registry.cli.outcome import FAULT, GOOD, CommandError
from camera_registry.cli.values import time

if TYPE_CHECKING:
    from camera_registry.console.api.coverage_answers import CoverageAnswer, PeriodAnswer, WhatIfAnswer
    from camera_registry.rules.coverage.points import Topology
    from camera_registry.rules.coverage.standing import SiteSeen
    from camera_registry.settings import Settings
    from camera_registry.texts import Texts

_SHOWN = 40
"""Sites, and losses, told in words; JSON has them all."""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Add the verb to `audit`."""
    parser = verbs.add_parser("coverage", parents=[common])
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--at", metavar="TIME", type=time)
    when.add_argument("--month", metavar="YYYY-MM")
    parser.add_argument("--without", nargs="+", metavar="DEVICE", default=())
    parser.set_defaults(func=audit_coverage)


def audit_coverage(args: argparse.Namespace) -> int:
    """Tell how sites are covered; 1 if a required view is not."""
    from camera_registry.cli.opening import settings_of, store_of
    from camera_registry.rules.coverage.points import Topology
    from camera_registry.store import coverage
    from camera_registry.texts import texts

    settings = settings_of(args)
    zone, words = ZoneInfo(settings.time_zone), texts(args.lang)
    if args.month:
        if args.without:
            raise CommandError("without_month")
        return _month(args, settings, words)
    at = _moment(args.at, zone)
    with store_of(settings) as store:
        then, history = store.read_now(coverage.gather, at, at)
    register = then.end
    seen = history.standing(register, zone, at)
    topology = Topology(register.devices)
    if args.without:
        return _what_if(args, seen, topology, register.devices.keys(), at, words)
    return _told(args, seen, topology, at, words)


def _told(args: argparse.Namespace, seen: Sequence[SiteSeen], topology: Topology, at: datetime, words: Texts) -> int:
    from camera_registry.console.api.coverage_answers import CoverageAnswer, SiteAnswer, Summary
    from camera_registry.rules.coverage.points import singles

    answer = CoverageAnswer(
        at=at,
        summary=Summary.of(seen),
        sites=[SiteAnswer.of(one, singles(one, topology)) for one in seen],
    )
    _show(args, answer, lambda: _in_words(answer, words))
    return FAULT if answer.summary.uncovered or answer.summary.without_views else GOOD


def _what_if(
    args: argparse.Namespace,
    seen: Sequence[SiteSeen],
    topology: Topology,
    known: Collection[str],
    at: datetime,
    words: Texts,
) -> int:
    from camera_registry.console.api.coverage_answers import LossAnswer, WhatIfAnswer
    from camera_registry.model.coverage import Point, PointKind
    from camera_registry.rules.coverage.points import without

    strangers = [id for id in args.without if id not in known]
    if strangers:
        raise CommandError("no_device", devices=", ".join(strangers))
    losses = without(seen, topology, [Point(PointKind.DEVICE, id) for id in args.without])
    answer = WhatIfAnswer(at=at, without=args.without, sites=[LossAnswer.of(loss) for loss in losses])
    _show(args, answer, lambda: _losses(answer, words))
    return FAULT if any(loss.lost for loss in losses) else GOOD


def _month(args: argparse.Namespace, settings: Settings, words: Texts) -> int:
    from camera_registry.cli.opening import store_of
    from camera_registry.console.api.coverage_answers import PeriodAnswer
    from camera_registry.rules.availability import NoPeriod, month
    from camera_registry.rules.coverage.period import sum_up
    from camera_registry.rules.coverage.standing import without_views
    from camera_registry.store import coverage

    zone, now = ZoneInfo(settings.time_zone), datetime.now(UTC)
    try:
        period = month(args.month, zone, now)
    except NoPeriod as bad:
        why = words(f"report_flaw.{bad.flaw}", **bad.values)
        raise CommandError("month", month=args.month, why=why) from bad
    since, until = period.begins, period.ends
    with store_of(settings) as store:
        then, history = store.read_now(coverage.gather, since, until)
    register = then.last
    sites = sum_up(history, zone, since, until)
    answer = PeriodAnswer.of(sites, register, since, until)
    bare = [site.id for site in without_views(then.end.sites.values(), then.end.views.values())]
    _show(args, answer, lambda: [*_bare(bare, words), *_period(answer, words)])
    return FAULT if bare or any(site.totals.uncovered for site in sites) else GOOD


def _moment(given: datetime | None, zone: ZoneInfo) -> datetime:
    now = datetime.now(UTC)
    if given is None:
        return now
    at = (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)
    if at > now:
        raise CommandError("in_future", given=given.isoformat(timespec="minutes"))
    return at


def _show(
    args: argparse.Namespace,
    answer: CoverageAnswer | PeriodAnswer | WhatIfAnswer,
    in_words: Callable[[], Sequence[str]],
) -> None:
    print(answer.model_dump_json() if args.json else "\n".join(in_words()))


def _in_words(answer: CoverageAnswer, words: Texts) -> list[str]:
    total = answer.summary
    lines = [
        words(
            "coverage_audit.summary",
            sites=total.sites,
            dark=total.dark_sites,
            full=total.full_sites,
            covered=total.covered,
            required=total.required,
            unknown=total.unknown,
            planned=total.planned,
        )
    ]
    bad = [site for site in answer.sites if site.in_force and site.covered < site.required]
    for site in bad[:_SHOWN]:
        key = "coverage_audit.dark" if site.dark else "coverage_audit.partly"
        lines.append(words(key, site=site.site, name=site.name, covered=site.covered, required=site.required))
        for view in site.views:
            if view.state != "covered":
                devices = ", ".join(one.device or one.channel for one in view.channels) or "-"
                name = f"{view.view} {view.name}".strip()
                lines.append(f"    {name}: {words.name(view.state)} ({devices})")
    if len(bad) > _SHOWN:
        lines.append(words("coverage_audit.more", n=len(bad) - _SHOWN))
    whole = sum(any(point.whole for point in site.single_points) for site in answer.sites)
    flaws = _bare(answer.summary.without_views, words)
    return [*flaws, *lines, words("coverage_audit.single_points", n=whole)]


def _bare(sites: Sequence[str], words: Texts) -> list[str]:
    """Sites without views are errors of the register, by their place and with the remedy."""
    if not sites:
        return []
    return [
        words("coverage_flaws.without_views", n=len(sites)),
        *(f"    {words('problem.site_without_views.what', id=site)}" for site in sites[:_SHOWN]),
        *([words("coverage_audit.more", n=len(sites) - _SHOWN)] if len(sites) > _SHOWN else []),
        f"    {words('problem.site_without_views.remedy')}",
    ]


def _losses(answer: WhatIfAnswer, words: Texts) -> list[str]:
    if not answer.sites:
        return [words("coverage_audit.nothing_lost", devices=", ".join(answer.without))]
    lines = [words("coverage_audit.without", devices=", ".join(answer.without), n=len(answer.sites))]
    for site in answer.sites[:_SHOWN]:
        parts = [
            words(f"coverage_audit.{key}", views=", ".join(views))
            for key, views in (("lost", site.lost), ("single", site.single))
            if views
        ]
        lines.append(
            f"  {site.site}: {' '.join(parts)}" + (f" {words('coverage_audit.all_dark')}" if site.dark else "")
        )
    return lines


def _period(answer: PeriodAnswer, words: Texts) -> list[str]:
    from camera_registry.rules.coverage.demand import Kept

    lines = [words("coverage_audit.month", ratio=_percent(answer.times.ratio), sites=len(answer.sites))]
    bad = [site for site in answer.sites if site.times.uncovered]
    lines += [
        words(
            "coverage_audit.site_month",
            site=site.site,
            name=site.name,
            ratio=_percent(site.times.ratio),
            uncovered=f"{site.times.uncovered:.3f}",
            dark=f"{site.dark_seconds:.3f}",
            unknown=f"{site.times.unknown:.3f}",
        )
        for site in bad[:_SHOWN]
    ]
    lines += [words("coverage_audit.more", n=len(bad) - _SHOWN)] if len(bad) > _SHOWN else []
    missed = [site for site in answer.sites if site.kept is Kept.MISSED]
    asked = sum(site.kept is not Kept.NOT_REQUIRED for site in answer.sites)
    lines += [words("demand.month", n=len(missed), of=asked)] if asked else []
    return lines + [
        words(
            "demand.site_month",
            site=site.site,
            name=site.name,
            required=_percent(site.required_availability),
            ratio=_percent(site.times.ratio),
            time=words.duration(timedelta(seconds=site.too_long_seconds)),
        )
        for site in missed[:_SHOWN]
    ]


def _percent(ratio: float | None) -> str:
    from exporters.report.cells import percent

    return "-" if ratio is None else percent(ratio)
