"""The command `judge`: the picture judge on files, without settings or database."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from camera_registry.cli.outcome import FAULT, GOOD, CommandError, why
from camera_registry.cli.shape import Commands
from camera_registry.model.health import Cause
from camera_registry.model.observation import FailureKind
from camera_registry.model.picture import Judgement, Picture, Sight
from camera_registry.rules.pictures import judge
from camera_registry.rules.pictures.sight import sight
from camera_registry.texts import Texts, texts
from probes.base import ProbeError

_PATIENCE = 120.0
"""Seconds for one case, start of the decoding process and a busy machine included."""
_MOST_FRAMES = 16
_MOST_REFERENCES = 12


@dataclass(frozen=True, slots=True)
class Case:
    """One question: files and their times, frames oldest first."""

    id: str
    frames: tuple[Path, ...]
    references: tuple[Path, ...]
    times: tuple[datetime | None, ...]
    reference_times: tuple[datetime | None, ...]
    osd: Mapping[str, object] | None = None


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "judge",
        parents=[common],
        help="judge pictures: is the camera blind?",
        description="Judge pictures of one view (JPEG, oldest first), or every case of a file of cases. "
        "What can't be judged is said to be not checked, with the reason.",
    )
    parser.add_argument("frames", metavar="FRAME", nargs="*", type=Path, help="pictures of one camera, oldest first")
    parser.add_argument(
        "--reference",
        metavar="FRAME",
        nargs="+",
        action="extend",
        default=[],
        type=Path,
        help="healthy earlier pictures of the same view; repeats",
    )
    parser.add_argument(
        "--captured-at",
        metavar="TIME",
        nargs="+",
        default=[],
        help="local times of the frames, like 2026-10-31T08:15:00: tells a dark picture from a picture of the night",
    )
    parser.add_argument("--cases", metavar="FILE", type=Path, help="file of cases, one JSON object a line")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Judge, tell, and say by the exit code whether all is well."""
    if bool(args.frames) == bool(args.cases):
        raise CommandError("name pictures or a file of cases (--cases FILE), one of the two")
    if args.cases and (args.reference or args.captured_at):
        raise CommandError("a file of cases names references and times itself: leave --reference and --captured-at out")
    cases = read_cases(args.cases) if args.cases else (_of_arguments(args),)
    return asyncio.run(_judge(cases, None if args.json else texts(args.lang)))


def read_cases(file: Path) -> tuple[Case, ...]:
    """The cases of a file of JSON lines; paths in it are relative to the file. Raises CommandError with every fault."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"the file of cases can't be read: {why(error)}") from error
    cases, faults = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            case = _of_line(json.loads(line), file.parent, number)
            _present(case)
        except (ValueError, TypeError, CommandError) as error:
            faults.append(f"{file}:{number}: {error}")
        else:
            cases.append(case)
    if faults:
        shown = "\n  ".join(faults[:20]) + (f"\n  and {len(faults) - 20} more" if len(faults) > 20 else "")
        raise CommandError(f"correct these lines of the file of cases:\n  {shown}")
    if not cases:
        raise CommandError(f"{file}: there is no case in it; write one JSON object a line")
    return tuple(cases)


def _of_line(row: Any, folder: Path, number: int) -> Case:
    """Raises ValueError or TypeError that says what is wrong."""
    if not isinstance(row, dict):
        raise TypeError("a case is a JSON object")
    frames, references = (_paths(row, key, folder) for key in ("frames", "refs"))
    if not frames:
        raise ValueError("frames: name at least one picture")
    return Case(
        id=str(row.get("id", number)),
        frames=frames,
        references=references,
        times=_times(row, "captured_at", len(frames)),
        reference_times=_times(row, "ref_at", len(references)),
        osd=_osd(row.get("osd")),
    )


def _paths(row: Mapping[str, Any], key: str, folder: Path) -> tuple[Path, ...]:
    given = row.get(key) or []
    if not isinstance(given, list) or not all(isinstance(path, str) for path in given):
        raise TypeError(f"{key}: a list of paths")
    return tuple(folder / path for path in given)


def _times(row: Mapping[str, Any], key: str, count: int) -> tuple[datetime | None, ...]:
    given = row.get(key) or []
    if not isinstance(given, list) or len(given) > count:
        raise TypeError(f"{key}: a list of ISO local times, one for each picture")
    # Local time is what the light follows; a zone, where one is written, only says what is local.
    times = [None if at is None else datetime.fromisoformat(at).replace(tzinfo=None) for at in given]
    return (*times, *[None] * (count - len(times)))


def _osd(given: Any) -> Mapping[str, object] | None:
    if given is None:
        return None
    box, layout = (given.get("box"), given.get("format")) if isinstance(given, dict) else (None, None)
    right = isinstance(box, list) and len(box) == 4 and all(isinstance(side, int | float) for side in box)
    if not right or not isinstance(layout, str):
        raise TypeError('osd: null, or {"box": [x, y, w, h], "format": "YYYY-MM-DD HH:MM:SS"}')
    return {"box": box, "format": layout}


def _of_arguments(args: argparse.Namespace) -> Case:
    try:
        times = _times({"captured_at": args.captured_at}, "captured_at", len(args.frames))
    except (ValueError, TypeError) as error:
        raise CommandError(f"--captured-at: {error}") from error
    case = Case(
        id=str(args.frames[-1]),
        frames=tuple(args.frames),
        references=tuple(args.reference),
        times=times,
        reference_times=(None,) * len(args.reference),
    )
    _present(case)
    return case


def _present(case: Case) -> None:
    for path in (*case.frames, *case.references):
        if not path.is_file():
            raise CommandError(f"there is no picture {path}")
    if len(case.frames) > _MOST_FRAMES or len(case.references) > _MOST_REFERENCES:
        raise CommandError(f"at most {_MOST_FRAMES} frames and {_MOST_REFERENCES} references are looked at together")


async def _judge(cases: Sequence[Case], words: Texts | None) -> int:
    code = GOOD
    async for case, judgement, found in _judged(cases):
        code = FAULT if judgement.faults else code
        if words is None:
            print(json.dumps(_as_json(case, judgement, found), ensure_ascii=False), flush=True)
        else:
            print("\n".join(_in_words(case, judgement, words)), flush=True)
    return code


async def _judged(cases: Sequence[Case]) -> AsyncIterator[tuple[Case, Judgement, Mapping[str, Any]]]:
    from probes.picture.desk import PictureDesk, View

    desk = PictureDesk()
    await desk.start()
    try:
        for case in cases:
            pictures = await asyncio.to_thread(_read, (*case.frames, *case.references))
            view = View(
                frames=pictures[: len(case.frames)],
                references=pictures[len(case.frames) :],
                times=[None if at is None else at.isoformat() for at in (*case.times, *case.reference_times)],
                osd=case.osd,
            )
            try:
                found, _ = await desk.examine(view, _PATIENCE)
            except ProbeError as error:
                if error.kind is not FailureKind.UNDECODABLE:
                    raise CommandError(str(error)) from error
                yield case, judge(Sight((Picture(refused=error.detail),))), {}
                continue
            yield case, judge(sight(found, case.times, case.reference_times)), found
    finally:
        await desk.close()


def _read(paths: Sequence[Path]) -> list[bytes]:
    try:
        return [path.read_bytes() for path in paths]
    except OSError as error:
        raise CommandError(f"a picture can't be read: {why(error)}") from error


def _is_jpeg(path: Path) -> bool:
    """Whether a file begins as a JPEG does (ITU-T T.81, annex B.1.1.3: SOI)."""
    with path.open("rb") as file:
        return file.read(2) == b"\xff\xd8"


def _as_json(case: Case, judgement: Judgement, found: Mapping[str, Any]) -> dict[str, object]:
    """``ms``: processor time for the frames. ``reference_ms``: for references that no earlier case has prepared."""
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
    }


def _in_words(case: Case, judgement: Judgement, words: Texts) -> list[str]:
    lines = [case.id]
    strange = dict.fromkeys(path for path in case.frames if not _is_jpeg(path))
    lines += ["  " + words("command.judge.no_picture", file=path) for path in strange]
    for fault in judgement.faults:
        numbers = ", ".join(f"{name} {value:g}" for name, value in fault.evidence.items())
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
    return lines
