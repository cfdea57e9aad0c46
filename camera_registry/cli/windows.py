"""The command `windows`: planned maintenance, beside a running service, which follows it within a second."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from camera_registry.cli.opening import author, settings_of, store_of
from camera_registry.cli.outcome import GOOD, CommandError
from camera_registry.cli.values import number, row, time
from camera_registry.model.maintenance import Cover, Window, WindowKind
from camera_registry.texts import texts

if TYPE_CHECKING:
    from camera_registry.cli.shape import Commands
    from camera_registry.model.register import Register

_LONGEST = 525_600
"""Minutes: a year."""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    group = commands.add_parser("windows", parents=[common])
    verbs = group.add_subparsers(title="commands", dest="verb", metavar="VERB", required=True)
    listing = verbs.add_parser("list", parents=[common])
    listing.add_argument("--all", action="store_true")
    listing.set_defaults(func=list_windows)
    adding = verbs.add_parser("add", parents=[common])
    kinds = [kind.value for kind in WindowKind]
    adding.add_argument("--kind", choices=kinds, default="fixed")
    adding.add_argument("--begins", type=time)
    adding.add_argument("--ends", type=time)
    adding.add_argument("--minutes", type=number(0, _LONGEST), default=0)
    adding.add_argument("--schedule", default="")
    adding.add_argument("--zone")
    adding.add_argument("--reason", required=True)
    for name, what in (("device", "devices"), ("tag", "tags"), ("area", "areas"), ("parent", "parents")):
        adding.add_argument(f"--{name}", action="append", default=[], dest=what)
    adding.set_defaults(func=add_window)
    cancelling = verbs.add_parser("cancel", parents=[common])
    cancelling.add_argument("id", type=row)
    cancelling.set_defaults(func=cancel_window)


def list_windows(args: argparse.Namespace) -> int:
    """Show what is planned."""
    from camera_registry.store import register, windows

    now = datetime.now(UTC)
    with store_of(settings_of(args)) as store:
        if args.all:
            found = store.read_now(windows.page, limit=1000)
        else:
            found = list(reversed(store.read_now(windows.load, now)))
        muted = _muted(found, store.read_now(register.load_register), now) if found else {}
    for one in found:
        _show(args, one, muted.get(one.id))
    if not found and not args.json:
        print(texts(args.lang)("listed.none"))
    return GOOD


def add_window(args: argparse.Namespace) -> int:
    """Plan maintenance."""
    from camera_registry.rules import maintenance
    from camera_registry.rules.availability import NoPeriod, zone_of
    from camera_registry.store import register, windows

    settings = settings_of(args)
    now = datetime.now(UTC)
    zone = args.zone or settings.time_zone
    try:
        here = zone_of(zone)
    except NoPeriod as error:
        raise CommandError("zone", zone=zone) from error

    def utc(at: datetime | None) -> datetime | None:
        return at and (at if at.tzinfo else at.replace(tzinfo=here)).astimezone(UTC)

    window = Window(
        0,
        WindowKind(args.kind),
        Cover(tuple(args.devices), tuple(args.tags), tuple(args.areas), tuple(args.parents)),
        utc(args.begins) or now,
        utc(args.ends),
        args.reason,
        author(),
        now,
        timedelta(minutes=args.minutes),
        args.schedule,
        zone,
    )
    words = texts(args.lang)
    if flaw := maintenance.flaw(window):
        raise CommandError("told", why=words(f"window_flaw.{flaw}"))
    with store_of(settings) as store:
        known = store.read_now(register.load_register)
        unknown = maintenance.strangers(window.cover, known.devices.__contains__, known.areas.__contains__)
        if unknown:
            raise CommandError("told", why=words("window_flaw.strangers", names=", ".join(unknown)))
        kept = store.write_now(windows.create, window)
    _show(args, kept, _muted([kept], known, now).get(kept.id))
    return GOOD


def _muted(found: Sequence[Window], known: Register, now: datetime) -> dict[int, int]:
    """How many devices in service each of them keeps quiet, by its number; those that are over are left out."""
    from camera_registry.rules import maintenance

    above = {area.id: area.parent for area in known.areas.values()}
    coming = [one for one in found if not maintenance.over(one, now)]
    return maintenance.muted(coming, list(known.devices.values()), above)


def cancel_window(args: argparse.Namespace) -> int:
    """Call one off, or end it now."""
    from camera_registry.store import windows

    with store_of(settings_of(args)) as store:
        found = store.write_now(windows.cancel, args.id, author=author(), at=datetime.now(UTC))
    if found is None:
        raise CommandError("no_window", id=args.id)
    _show(args, found)
    return GOOD


def _show(args: argparse.Namespace, one: Window, muted: int | None = None) -> None:
    zone = ZoneInfo(one.zone)

    def local(at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(zone).isoformat(timespec="minutes")

    cover = one.cover
    row = {
        "id": one.id,
        "kind": one.kind.value,
        "begins": local(one.begins),
        "ends": local(one.ends),
        "minutes": one.lasts.total_seconds() / 60,
        "schedule": one.schedule,
        "zone": one.zone,
        "devices": cover.devices,
        "tags": cover.tags,
        "areas": cover.areas,
        "parents": cover.parents,
        "reason": one.reason,
        "author": one.author,
        "cancelled_at": local(one.cancelled_at),
        "muted": muted,
    }
    if args.json:
        print(json.dumps(row, ensure_ascii=False))
    else:
        print(
            "  ".join(
                _word(name, value) for name, value in row.items() if value or (name == "muted" and muted is not None)
            )
        )


def _word(name: str, value: object) -> str:
    if isinstance(value, tuple):
        value = ",".join(value)
    return f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
