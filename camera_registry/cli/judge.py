"""The command `judge`: the picture judge on files, without settings or database."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from camera_registry.cli import judge_cases, judge_report
from camera_registry.cli.judge_cases import Case
from camera_registry.cli.outcome import FAULT, GOOD, MISUSE, CommandError, why
from camera_registry.cli.shape import Commands
from camera_registry.model.health import Cause
from camera_registry.model.observation import FailureKind
from camera_registry.model.picture import JUDGED, Judgement, Picture, Sight
from camera_registry.rules.pictures import judge
from camera_registry.rules.pictures.report import Answer, report
from camera_registry.rules.pictures.sight import sight
from camera_registry.texts import Texts, texts
from probes.base import ProbeError

_PATIENCE = 120.0
"""Seconds for one case, start of the decoding process and a busy machine included."""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = commands.add_parser("judge", parents=[common])
    parser.add_argument("frames", metavar="FRAME", nargs="*", type=Path)
    parser.add_argument("--reference", metavar="FRAME", nargs="+", action="extend", default=[], type=Path)
    parser.add_argument("--captured-at", metavar="TIME", nargs="+", default=[])
    parser.add_argument("--cases", metavar="FILE", type=Path)
    parser.add_argument("--report", action="store_true")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Judge, tell, and say by the exit code whether all is well."""
    if bool(args.frames) == bool(args.cases):
        raise CommandError("judge_what")
    if args.cases and (args.reference or args.captured_at):
        raise CommandError("judge_cases")
    if args.report and not args.cases:
        raise CommandError("judge_report")
    words = texts(args.lang)
    cases, faults = (
        judge_cases.read(args.cases, words)
        if args.cases
        else ([judge_cases.of_arguments(args.frames, args.reference, args.captured_at)], [])
    )
    for fault in faults:
        print(fault, file=sys.stderr)
    for id, lines in judge_cases.of_one_name(cases).items():
        listed = ", ".join(map(str, lines))
        print(words("command.judge.of_one_name", file=args.cases, id=id, lines=listed), file=sys.stderr)
    if args.report and not any(case.label for case in cases):
        raise CommandError("judge_unlabelled", file=args.cases)
    bench = _Bench(words)
    code = asyncio.run((_report if args.report else _judge)(cases, bench, as_json=args.json))
    return MISUSE if faults or bench.failed else code


async def _judge(cases: Sequence[Case], bench: _Bench, *, as_json: bool) -> int:
    code = GOOD
    async for case, judgement, found in bench.judged(cases):
        code = FAULT if judgement.faults else code
        if as_json:
            print(json.dumps(_as_json(case, judgement, found), ensure_ascii=False), flush=True)
        else:
            print("\n".join(_in_words(case, judgement, found, bench.words)), flush=True)
    return code


async def _report(cases: Sequence[Case], bench: _Bench, *, as_json: bool) -> int:
    """Judge labelled cases, and tell how good the judge is."""
    passed_over = sum(case.label is None for case in cases)
    answers = [
        Answer(case.label.cause, case.label.severity, case.label.condition, judgement)
        async for case, judgement, _ in bench.judged([case for case in cases if case.label])
        if case.label
    ]
    found = report(answers)
    print(
        json.dumps(asdict(found), ensure_ascii=False) if as_json else "\n".join(judge_report.lines(found, bench.words))
    )
    if passed_over:
        print(bench.words("command.judge.unlabelled", n=passed_over, causes=" ".join(JUDGED)), file=sys.stderr)
    return GOOD


class _Bench:
    """Where cases are judged. One that can't be, because of its files or of this machine, is told, and counted in
    ``failed``; it costs no other."""

    def __init__(self, words: Texts) -> None:
        self.words = words
        self.failed = 0

    async def judged(self, cases: Sequence[Case]) -> AsyncIterator[tuple[Case, Judgement, Mapping[str, Any]]]:
        from probes.picture.desk import PictureDesk, View

        desk = PictureDesk()
        await desk.start()
        try:
            for case in cases:
                try:
                    pictures = await asyncio.to_thread(_read, (*case.frames, *case.references))
                except OSError as error:
                    self._tell("unreadable", id=case.id, file=error.filename, why=why(error))
                    continue
                view = View(
                    frames=pictures[: len(case.frames)],
                    references=pictures[len(case.frames) :],
                    times=[None if at is None else at.isoformat() for at in (*case.times, *case.reference_times)],
                    osd=case.osd,
                )
                try:
                    found, _ = await desk.examine(view, _PATIENCE)
                except ProbeError as error:
                    if error.kind is FailureKind.UNDECODABLE:
                        yield case, judge(Sight((Picture(refused=error.detail),))), {"refused": error.detail}
                    else:
                        self._tell("unjudged", id=case.id, why=error)
                    continue
                yield case, judge(sight(found, case.times, case.reference_times)), found
        finally:
            await desk.close()

    def _tell(self, key: str, **values: object) -> None:
        self.failed += 1
        print(self.words(f"command.judge.{key}", **values), file=sys.stderr)


def _read(paths: Sequence[Path]) -> list[bytes]:
    """The pictures in these files; of one that is too large no more than shows that it is. Raises OSError that names
    the file."""
    from probes.picture.frames import MAX_BYTES

    pictures = []
    for path in paths:
        try:
            with path.open("rb") as file:
                pictures.append(file.read(MAX_BYTES + 1))
        except OSError as error:
            raise OSError(error.errno, why(error), str(path)) from error  # reading does not name the file
    return pictures


def _is_jpeg(path: Path) -> bool:
    """Whether a file begins as a JPEG does (ITU-T T.81, annex B.1.1.3: SOI)."""
    with path.open("rb") as file:
        return file.read(2) == b"\xff\xd8"


def _as_json(case: Case, judgement: Judgement, found: Mapping[str, Any]) -> dict[str, object]:
    """``ms``: processor time for the frames. ``reference_ms``: for references that no earlier case has prepared.
    ``left_out``: pictures that were too many to be looked at. ``refused``: by path, why a picture can't be read."""
    return {
        "id": case.id,
        "faults": [
            {
                "cause": fault.cause.value,
                "score": fault.score,
                "evidence": dict(fault.evidence),
                "tiles": [*fault.tiles],
            }
            for fault in judgement.faults
        ],
        "scores": {cause.value: score for cause, score in judgement.scores.items()},
        "checked": [cause.value for cause in judgement.checked],
        "not_checked": {cause.value: reason.value for cause, reason in judgement.not_checked.items()},
        "ms": round(1000 * found.get("cpu_seconds", 0.0), 2),
        "reference_ms": round(1000 * found.get("reference_seconds", 0.0), 2),
        "left_out": case.left_out,
        "refused": {str(path): said for path, said in _refused(case, found)},
    }


def _refused(case: Case, found: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """The pictures that could not be read, and why."""
    if "refused" in found:
        return [(case.frames[-1], found["refused"])]
    pictures = zip((*case.frames, *case.references), (*found["frames"], *found["references"]), strict=True)
    return [(path, told["refused"]) for path, told in dict(pictures).items() if "refused" in told]


def _in_words(case: Case, judgement: Judgement, found: Mapping[str, Any], words: Texts) -> list[str]:
    lines = [str(case.id)]
    strange = dict.fromkeys(path for path in case.frames if not _is_jpeg(path))
    lines += ["  " + words("command.judge.no_picture", file=path) for path in strange]
    refused = ((path, words.retold(said)) for path, said in _refused(case, found) if path not in strange)
    lines += ["  " + words("command.judge.refused", file=path, why=said) for path, said in refused]
    for fault in judgement.faults:
        numbers = words.retold(", ".join(f"{name} {value:g}" for name, value in fault.evidence.items()))
        lines.append("  " + words("command.judge.fault", cause=words.name(fault.cause), score=f"{fault.score:.2f}"))
        lines.append(f"    {words.why(fault.cause)} {words.next(fault.cause)}")
        lines += [f"    {numbers}"] if numbers else []
    if not judgement.faults:
        lines.append("  " + words("command.judge.good"))
    by_reason: dict[str, list[Cause]] = {}
    for cause, reason in judgement.not_checked.items():
        by_reason.setdefault(words.name(reason), []).append(cause)
    for told, causes in by_reason.items():
        listed = ", ".join(words.name(cause) for cause in causes)
        lines.append("  " + words("command.judge.not_checked", causes=listed, reason=told))
    if case.left_out:
        most = {"frames": judge_cases.MOST_FRAMES, "references": judge_cases.MOST_REFERENCES}
        lines.append("  " + words("command.judge.left_out", n=case.left_out, **most))
    return lines
