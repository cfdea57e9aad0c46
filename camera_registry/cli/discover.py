"""The command `discover`: searches the device networks, says what that means to the register, and changes nothing."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from camera_registry.cli.outcome import GOOD, CommandError, why
from camera_registry.cli.usage import table

if TYPE_CHECKING:
    from camera_registry.cli.shape import Commands
    from camera_registry.model.discovery import Findings, Proposal, ProposalState, Sighting
    from camera_registry.settings import Settings
    from camera_registry.store import Store
    from camera_registry.texts import Texts
    from probes.discovery.search import Plan, Search

_SHOWN_IGNORED = 20
_TELL_EVERY = 1.0


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = commands.add_parser("discover", parents=[common])
    parser.add_argument("--network", metavar="CIDR", nargs="+", action="extend", default=[])
    parser.add_argument("--multicast", action="store_true")
    parser.add_argument("--interface", metavar="ADDR", action="append", default=[])
    parser.add_argument("--rate", metavar="N", type=float)
    parser.add_argument("--ports", metavar="LIST")
    parser.add_argument("--from", dest="start", metavar="N", type=int, default=0)
    parser.add_argument("--propose", action="store_true")
    parser.add_argument("--output", metavar="FILE", type=Path)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Search, compare, tell."""
    from camera_registry.cli.opening import settings_of
    from camera_registry.rules.scanning import TooWide
    from camera_registry.texts import texts
    from probes.discovery.search import Search, SearchError
    from probes.guard import AddressGuard

    settings = settings_of(args)
    plan = _plan(args, settings)
    words = texts(args.lang)
    try:
        search = Search(plan, AddressGuard(settings.devices.networks), lambda: datetime.now(UTC))
    except TooWide as error:
        raise CommandError("networks", why=error) from error
    if not (plan.start == 0 or 0 < plan.start < search.size):
        most = f"from 0 to {search.size - 1}" if search.size else "0, for no addresses are scanned without --network"
        raise CommandError("scan_large", start=plan.start, size=search.size, most=most)
    try:
        whole = asyncio.run(_search(search, words, quiet=args.json or not sys.stderr.isatty()))
    except SearchError as error:
        raise CommandError("interface", why=error) from error
    findings, kept = _compare(args, settings, search.sightings, words)
    if args.output is not None:
        _write(args.output, findings.proposals)
    if args.json:
        print(json.dumps(_as_json(search, findings, kept, whole=whole), ensure_ascii=False, default=str))
    else:
        print("\n".join(_in_words(search, findings, words)))
        if kept is not None:
            counts = {state.value: number for state, number in kept.items()}
            print(words("command.discover.stored", open=counts.get("open", 0), rejected=counts.get("rejected", 0)))
        if args.output is not None:
            print(words("command.discover.written", file=args.output))
        if not whole:
            print(words("command.discover.stopped", position=search.position, total=search.size), file=sys.stderr)
    return GOOD


def _plan(args: argparse.Namespace, settings: Settings) -> Plan:
    """What to search. Raises CommandError for what is outside the device networks, naming the key."""
    from camera_registry.rules import scanning
    from camera_registry.service.discoverer import plan_of

    if not args.network and not args.multicast:
        raise CommandError("no_search")
    if not settings.devices.networks:
        raise CommandError("no_networks", file=args.config)
    for text in args.network:
        try:
            ip_network(text, strict=False)
        except ValueError as error:
            raise CommandError("network", option="--network", given=text, why=error) from error
    outside = scanning.outside(args.network, settings.devices.networks)
    if outside:
        raise CommandError(
            "network_outside", networks=" ".join(outside), file=args.config, known=", ".join(settings.devices.networks)
        )
    wished = settings.discovery
    rate = wished.rate if args.rate is None else args.rate
    if not 0 < rate <= 1000:
        raise CommandError("rate")
    asking = {"interfaces": tuple(args.interface)} if args.interface else {}
    wished = wished.model_copy(update={"multicast": args.multicast, **asking})
    return replace(
        plan_of(settings, start=args.start),
        networks=tuple(args.network),
        interfaces=wished.asked_by(),
        ports=_ports(args.ports) or wished.ports,
        rate=rate,
    )


def _ports(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdigit() and 0 < int(part) < 65536 for part in parts):
        raise CommandError("ports")
    return tuple(dict.fromkeys(int(part) for part in parts))


async def _search(search: Search, words: Texts, *, quiet: bool) -> bool:
    """Search to the end, or until Ctrl-C; False if it was stopped."""
    import signal

    loop = asyncio.get_running_loop()
    running = loop.create_task(search.run())
    loop.add_signal_handler(signal.SIGINT, running.cancel)
    try:
        while not (await asyncio.wait({running}, timeout=_TELL_EVERY))[0]:
            if not quiet:
                told = words(
                    "command.discover.progress",
                    position=search.position,
                    total=search.size,
                    met=len(search.sightings),
                )
                print(f"\r{told}", end="", file=sys.stderr, flush=True)
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    if not quiet:
        print(file=sys.stderr)
    if running.cancelled():
        return False
    running.result()
    return True


def _compare(
    args: argparse.Namespace, settings: Settings, sightings: list[Sighting], words: Texts
) -> tuple[Findings, Mapping[ProposalState, int] | None]:
    """What was found, against the register if there is one; and what was kept, if anything was to be."""
    from camera_registry.cli.opening import store_of
    from camera_registry.model.register import Register
    from camera_registry.rules import discovery
    from camera_registry.store import proposals
    from camera_registry.store.connection import SQLITE_FILE

    exists = bool(settings.storage.url) or (settings.storage.directory / SQLITE_FILE).exists()
    if not exists and not args.propose:
        print(words("command.discover.no_database"), file=sys.stderr)
        return discovery.find(sightings, Register()), None
    with store_of(settings) as store:
        addresses = _named(store)
        if not args.propose:
            return store.read_now(proposals.compare, sightings, addresses), None
        return store.write_now(proposals.propose, sightings, addresses, datetime.now(UTC))


def _named(store: Store) -> dict[str, list[str]]:
    from camera_registry.store import register
    from probes.guard import look_up_all

    devices = store.read_now(register.load_register).devices.values()
    return asyncio.run(look_up_all(device.host for device in devices))


def _write(file: Path, proposals: Iterable[Proposal]) -> None:
    from camera_registry.rules import acceptance
    from camera_registry.rules.inventory import files

    try:
        file.write_bytes(files.write_csv(acceptance.sheet(proposals).rows))
    except OSError as error:
        raise CommandError("unwritable", file=file, why=why(error)) from error


def _as_json(
    search: Search, findings: Findings, kept: Mapping[ProposalState, int] | None, *, whole: bool
) -> dict[str, object]:
    return {
        "whole": whole,
        "position": search.position,
        "total": search.size,
        "proposals": [
            {"kind": one.kind, "device": one.device, "address": one.address, "evidence": one.evidence}
            for one in findings.proposals
        ],
        "known": dict(findings.known),
        "others": findings.others,
        "ignored": [asdict(one) for one in search.ignored],
        "kept": None if kept is None else {state.value: number for state, number in kept.items()},
    }


def _in_words(search: Search, findings: Findings, words: Texts) -> Iterable[str]:
    from camera_registry.model.discovery import ProposalKind

    if not search.sightings:
        yield words("command.discover.nothing")
    if findings.proposals:
        yield from _table(findings.proposals, words)
        yield ""
    counts = {kind.value: sum(one.kind is kind for one in findings.proposals) for kind in ProposalKind}
    yield words("command.discover.summary", **counts, known=len(findings.known), others=findings.others)
    if search.ignored:
        yield words("command.discover.ignored")
        for one in search.ignored[:_SHOWN_IGNORED]:
            values = {"named": one.named, "why": words.name(one.why), "address": one.address}
            yield f"  {words('command.discover.ignored_one', **values)}"
        if len(search.ignored) > _SHOWN_IGNORED:
            yield f"  {words('command.discover.ignored_more', n=len(search.ignored) - _SHOWN_IGNORED)}"


def _table(proposals: Iterable[Proposal], words: Texts) -> Iterable[str]:
    """One line for each proposal."""
    rows = [
        [words(f"command.discover.column.{name}") for name in ("kind", "address", "device", "unit", "evidence")],
        *(
            [
                words.name(one.kind),
                one.address,
                one.device or "-",
                _unit(one),
                ", ".join(words(f"evidence.{way}") for way in _ways(one)) or "-",
            ]
            for one in proposals
        ),
    ]
    return table(rows)


def _unit(one: Proposal) -> str:
    said = one.evidence_of("said")
    model = said.get("model") or said.get("hardware") or said.get("server")
    parts = (said.get("manufacturer"), model, said.get("serial") or said.get("mac"))
    return " ".join(str(part) for part in parts if part) or "-"


def _ways(one: Proposal) -> list[str]:
    by = one.evidence.get("by")
    return [str(way) for way in by] if isinstance(by, list) else []
