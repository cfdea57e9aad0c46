"""The command that makes reports: `report`; and the audit of device files, for `audit files`."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from camera_registry.cli.outcome import FAULT, GOOD, CommandError, why
from camera_registry.cli.values import time

if TYPE_CHECKING:
    from camera_registry.cli.shape import Commands
    from camera_registry.texts import Texts
    from exporters.report.document import Document
    from exporters.report.making import Desk
    from exporters.report.order import Order

FORMATS = ("xlsx", "csv", "html", "json", "pdf")
REPORTS = ("availability", "contractors", "coverage")


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    report = commands.add_parser("report", parents=[common])
    report.add_argument("report", choices=REPORTS)
    report.add_argument("--month", metavar="YYYY-MM", default="")
    report.add_argument("--from", dest="begins", metavar="TIME", type=time)
    report.add_argument("--to", dest="ends", metavar="TIME", type=time)
    report.add_argument("--zone", default="")
    report.add_argument("--area", default="", metavar="ID")
    report.add_argument("--contractor", default="", metavar="ID")
    report.add_argument("--freeze", action="store_true")
    output(report)
    report.set_defaults(func=make)


def output(parser: argparse.ArgumentParser) -> None:
    """The options that say where a report goes."""
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("--output", type=Path, metavar="FILE")
    parser.add_argument("--table", default="", metavar="NAME")


def make(args: argparse.Namespace) -> int:
    """Make a report."""
    from exporters.report.order import Kind, Order

    if bool(args.month) == (args.begins is not None or args.ends is not None) or (args.begins is None) != (
        args.ends is None
    ):
        raise CommandError("period")
    order = Order(Kind(args.report), args.month, args.begins, args.ends, args.zone, args.area, args.contractor)
    _write(args, order, freeze=args.freeze)
    return GOOD


def audit_files(args: argparse.Namespace) -> int:
    """Audit the device files; 1 if a site has no views, so that what it is for can't be held against it."""
    from exporters.report.order import Kind, Order

    document = _write(args, Order(Kind.FILES, area=args.area, contractor=args.contractor))
    return FAULT if "sites" in {table.id for table in document.tables} else GOOD


def _write(args: argparse.Namespace, order: Order, *, freeze: bool = False) -> Document:
    from camera_registry.cli.opening import author, settings_of, store_of
    from camera_registry.rules.availability import NoPeriod
    from camera_registry.store import StoreError
    from camera_registry.texts import texts
    from exporters.report.making import Desk

    settings, words = settings_of(args), texts(args.lang)
    with store_of(settings) as store:
        lens = settings.health.policy().base.picture.lens
        desk = Desk(store, settings.probes.policy(), settings.time_zone, lambda: datetime.now(UTC), lens)
        try:
            if freeze:
                period, done = desk.freeze(order, author())
                of = words(f"reports.{order.kind.value}")
                name = words("report_frozen.name", report=of, period=period.name, zone=period.zone.key)
                print(words("report.froze" if done else "report.frozen_before", name=name), file=sys.stderr)
            document = _made(desk, order, words)
        except NoPeriod as error:
            told = words(f"report_flaw.{error.flaw}", **error.values)
            raise CommandError("told", why=f"{order.kind.value}: {told}") from error
        except StoreError as error:
            raise CommandError("told", why=error) from error
    _put(args, document, words)
    return document


def _made(desk: Desk, order: Order, words: Texts) -> Document:
    shown = sys.stderr.isatty()

    def step(done: int, of: int) -> None:
        if shown:
            print(f"\r{words('report.progress', done=done, of=of)}", end="\n" if done == of else "", file=sys.stderr)

    return desk.make(order, words, step)


def _put(args: argparse.Namespace, document: Document, words: Texts) -> None:
    from exporters.report import csv
    from exporters.report.catalog import render
    from exporters.report.pdf import NoBrowser

    suffix = args.output.suffix.lstrip(".").lower() if args.output else ""
    kind = args.format or ("json" if args.json else suffix if suffix in FORMATS else "csv")
    if args.table and args.table not in {table.id for table in document.tables}:
        known = ", ".join(table.id for table in document.tables)
        raise CommandError("table", table=args.table, known=known)
    try:
        content = csv.write(document, args.table) if args.table else render(document, kind)
    except NoBrowser as error:
        raise CommandError("pdf", why=error) from error
    if args.output is None:
        if kind in ("xlsx", "pdf") and sys.stdout.isatty():
            raise CommandError("terminal", kind=kind)
        sys.stdout.buffer.write(content)
        return
    try:
        args.output.write_bytes(content)
    except OSError as error:
        raise CommandError("unwritable", file=args.output, why=why(error)) from error
    print(words("report.written", file=args.output), file=sys.stderr)
