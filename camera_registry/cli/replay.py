"""The command `replay`: observations in, the same decisions out; or what another policy would have decided."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from camera_registry.cli.opening import loaded_from
from camera_registry.cli.outcome import FAULT, GOOD, CommandError, why
from camera_registry.texts import Texts, texts

if TYPE_CHECKING:
    from camera_registry.cli.shape import Commands
    from camera_registry.model.incident import Incident
    from camera_registry.service.replay.hindsight import Hindsight
    from camera_registry.service.replay.rerun import Instead, Rerun

SHOWN = 20
"""Incidents of each kind of difference that are told one by one."""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = commands.add_parser("replay", parents=[common])
    parser.add_argument("log", nargs="+", type=Path)
    parser.add_argument("--output", metavar="FILE", type=Path)
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--compare", metavar="DATABASE")
    other.add_argument("--policy", metavar="FILE", type=Path)
    parser.set_defaults(func=replay)


def replay(args: argparse.Namespace) -> int:
    """Run it."""
    from camera_registry.rules.decisions import lines
    from camera_registry.service.replay.rerun import Instead

    words = texts(args.lang)
    # Read before the log, which may be long.
    settings = loaded_from(args, args.policy).settings if args.policy is not None else None
    first = _rerun(args.log, None)
    good = True
    decided = first.decided()
    if settings is not None:
        second = _rerun(args.log, Instead(settings.health.policy(), settings.incidents.policy()))
        from camera_registry.service.replay.hindsight import compare

        decided, found = second.decided(), compare(decided, second.decided())
        print(_as_json(found) if args.json else "\n".join(_in_words(found, words)))
    elif args.compare is not None:
        good = _compare(first, args.compare, words, as_json=args.json)
    elif args.output is None:
        for line in lines(decided):
            print(line)
    if args.output is not None:
        try:
            args.output.write_text("".join(f"{line}\n" for line in lines(decided)), encoding="utf-8")
        except OSError as error:
            raise CommandError("unwritable", file=args.output, why=why(error)) from error
    for flaw in first.flaws:
        text = words(f"log_flaw.{flaw.key}", **flaw.values)
        print(words("replay.flaw" if flaw.breaks else "replay.note", place=flaw.place, text=text), file=sys.stderr)
    counted = ", ".join(f"{len(values)} {words(f'decision.{kind}')}" for kind, values in decided.items())
    print(words("replay.done", records=first.records, decided=counted), file=sys.stderr)
    whole = first.first is not None and not any(flaw.breaks for flaw in first.flaws)
    return GOOD if good and whole else FAULT


def _rerun(paths: Sequence[Path], instead: Instead | None) -> Rerun:
    from camera_registry.service.replay.reading import LogError, files, read
    from camera_registry.service.replay.rerun import Rerun

    rerun = Rerun(instead)
    try:
        rerun.take(read(files(paths)))
    except LogError as error:
        raise CommandError("told", why=error) from error
    if rerun.first is None and not rerun.flaws:
        raise CommandError("log_empty", file=paths[0])
    return rerun


def _compare(rerun: Rerun, database: str, words: Texts, *, as_json: bool) -> bool:
    from camera_registry.rules.decisions import lines
    from camera_registry.service.replay.rerun import Since
    from camera_registry.store import StoreError, decisions, onlooking

    path = Path(database)
    url = database if "://" in database else f"sqlite:///{path.resolve()}"
    if "://" not in database and not path.is_file():
        raise CommandError("no_database", database=database)
    since = rerun.first or Since({}, frozenset(), frozenset())
    try:
        with onlooking(url, path.parent) as tx:
            kept = decisions.load(tx, since.newest, since.incidents, since.orders)
            marked = decisions.marked(tx)
    except StoreError as error:
        raise CommandError("told", why=error) from error
    again = rerun.decided(marked)
    # It does not hold who was back before the log began, nor orders that nothing happened to but what people wrote.
    incident, order = since.newest.get("incident", 0), since.newest.get("order", 0)
    again = {
        **again,
        "affected": [one for one in again["affected"] if one.incident > incident],
        "order": [one for one in again["order"] if one.id > order or one.id in since.orders],
    }
    different = next(
        (pair for pair in zip_longest(lines(again), lines(kept), fillvalue="") if pair[0] != pair[1]), None
    )
    if as_json:
        told = None if different is None else {"log": different[0] or None, "database": different[1] or None}
        print(json.dumps({"equal": different is None, "first_difference": told}, ensure_ascii=False))
    elif different is None:
        print(words("replay.equal"))
    else:
        print(words("replay.different", log=different[0] or "-", database=different[1] or "-"))
    return different is None


def _in_words(found: Hindsight, words: Texts) -> list[str]:
    told = [
        words("replay.count", kind=words(f"decision.{kind}"), was=was, would=would, step=f"{would - was:+d}")
        for kind, (was, would) in found.counts.items()
    ]
    differing = {
        "replay.spared": found.spared,
        "replay.added": found.added,
        "replay.other": [one for one, _ in found.other],
    }
    for key, incidents in differing.items():
        told += [words(key, **_values(one, words)) for one in incidents[:SHOWN]]
        if len(incidents) > SHOWN:
            told.append(words("replay.more", number=len(incidents) - SHOWN))
    return told


def _values(one: Incident, words: Texts) -> Mapping[str, str]:
    started = one.started.isoformat(timespec="seconds")
    return {"id": str(one.id), "about": one.about, "cause": words.name(one.cause), "started": started}


def _as_json(found: Hindsight) -> str:
    def brief(one: Incident) -> dict[str, Any]:
        return {"id": one.id, "about": one.about, "cause": one.cause.value, "started": one.started.isoformat()}

    told = {
        "counts": {kind: {"was": was, "would": would} for kind, (was, would) in found.counts.items()},
        "spared": [brief(one) for one in found.spared],
        "added": [brief(one) for one in found.added],
        "other": [{"was": brief(was), "would": brief(would)} for was, would in found.other],
    }
    return json.dumps(told, ensure_ascii=False)
