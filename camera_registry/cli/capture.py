"""The command `capture`: what one device answers, scrubbed of all that belongs to its site, as a file to send in."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from camera_registry.capture.recording import Recording, write
from camera_registry.cli import probe
from camera_registry.cli.outcome import FAULT, GOOD, CommandError, why
from camera_registry.cli.probe import Asked, Result
from camera_registry.cli.shape import Commands
from camera_registry.texts import texts


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = commands.add_parser("capture", parents=[common])
    probe.add_arguments(parser)
    parser.add_argument("--output", metavar="FILE", type=Path)
    parser.add_argument("--media", action="store_true")
    parser.add_argument("--show-redactions", action="store_true")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Record, play back, write, and say by the exit code whether both tell the same of the device."""
    from camera_registry.capture import redactors

    asked = probe.ask_of(args)
    made, differences = asyncio.run(_capture(asked, keep_media=args.media))
    text = write(made)
    if args.output is None:
        print(text, end="")
    else:
        try:
            args.output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError("unwritable", file=f"--output {args.output}", why=why(error)) from error
    words = texts(args.lang)
    names = [redactor.name for redactor in redactors.REDACTORS] + list(redactors.OTHERS)
    shown = [name for name in names if args.show_redactions or made.redactions.get(name)]

    def summary() -> Iterable[str]:
        place = args.output or words("command.capture.above")
        yield words("command.capture.done", exchanges=len(made.exchanges), place=place)
        for name in shown:
            what = words(f"command.capture.of.{name}")
            yield f"  - {words('command.capture.replaced', what=what, count=made.redactions.get(name, 0))}"
        yield words("command.capture.media_kept" if args.media else "command.capture.media_drawn")
        yield words("command.capture.differs") if differences else words("command.capture.same")
        yield from (f"  ! {difference}" for difference in differences)
        yield words("command.capture.next")

    if args.output is not None and args.json:
        told = {"file": str(args.output), "redactions": dict(made.redactions), "differences": differences}
        print(json.dumps(told, ensure_ascii=False))
    else:
        # What is printed without --output is the recording and nothing else, so that it can be sent on.
        print("\n".join(summary()), file=sys.stderr if args.output is None else sys.stdout)
    return FAULT if differences else GOOD


async def _capture(asked: Asked, *, keep_media: bool) -> tuple[Recording, list[str]]:
    """The recording, and where playing it back tells something else."""
    from camera_registry.capture.making import make
    from camera_registry.capture.pseudonyms import Given
    from camera_registry.capture.tape import Tape
    from camera_registry.cli import playback

    tape, named = Tape(), asked.named
    seen = await probe.look(asked, tap=tape, explain=False)
    user, password = (asked.credential.username, asked.credential.password) if asked.credential else ("", "")
    offsets = (found.facts.get("clock_offset_seconds") for found in seen.observations)
    made = make(
        tape,
        Given(user, password, (named.host, *await probe.addresses(named.host))),
        probes=asked.names,
        ports=asked.ports,
        options=named.options,
        onvif_path=named.onvif_path,
        clock_offset=next((offset for offset in offsets if isinstance(offset, float)), None),
        media=keep_media,
    )
    again = await playback.play_back(made)
    return replace(made, expect=playback.expectation(again)), list(playback.told_otherwise(_story(seen), _story(again)))


def _story(result: Result) -> dict[str, object]:
    """What must be the same when it is told again."""
    return {
        "status": result.status.value,
        "reasons": [f"{reason.aspect} {reason.cause}" for reason in result.reasons],
        "failures": {seen.probe: seen.failure and str(seen.failure.kind) for seen in result.observations},
    }
