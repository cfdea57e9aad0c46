"""Cases for `judge`: a file of JSON lines, or what the command line names. A line that is wrong costs no other line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf, isfinite
from pathlib import Path
from typing import Any

from camera_registry.cli.outcome import CommandError, why
from camera_registry.model.health import Cause
from camera_registry.rules.pictures import outlines
from camera_registry.texts import Texts
from camera_registry.texts.errors import TellableError

MOST_FRAMES = 16
MOST_REFERENCES = 12
_DAY = 86_400.0


class CaseError(TellableError):
    """A line is no case; the message says why and what to write."""

    section = "case_error"


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of a case. ``cause`` is None for a healthy one."""

    cause: Cause | None
    severity: str
    condition: str


@dataclass(frozen=True, slots=True)
class Case:
    """One question: files and their times, frames oldest first; ``label`` where the file tells the answer. ``id``: as
    it was given, so that an answer is found by it. ``line``: of the file that it stands in, from 1.
    ``left_out`` pictures were named besides, and are too many to be looked at."""

    id: str | float
    frames: tuple[Path, ...]
    references: tuple[Path, ...]
    times: tuple[datetime | None, ...]
    reference_times: tuple[datetime | None, ...]
    osd: Mapping[str, object] | None = None
    label: Label | None = None
    left_out: int = 0
    line: int = 0


def read(file: Path, words: Texts) -> tuple[list[Case], list[str]]:
    """The cases of a file of JSON lines, paths in it relative to the file; and what is wrong with its other lines, in
    words.

    Raises CommandError where there is no case at all.
    """
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise CommandError("cases_unreadable", file=file, why=why(error)) from error
    cases, faults = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            case = _of_line(_parsed(line), file.parent, number)
            _require(case)
        except (CaseError, CommandError) as error:
            faults.append(words("case_error.line", file=file, number=number, why=error.told(words)))
        else:
            cases.append(_fit(case))
    if not cases and faults:
        more = ["..."] if len(faults) > 20 else []
        raise CommandError("cases_wrong", lines="\n  ".join([*faults[:20], *more]), n=len(faults))
    if not cases:
        raise CommandError("no_case", file=file)
    return cases, faults


def of_one_name(cases: Sequence[Case]) -> dict[str | float, list[int]]:
    """The identifiers that several cases have, each with the lines that these stand in: whoever looks an answer up by
    its identifier would take one for the other."""
    lines: dict[str | float, list[int]] = {}
    for case in cases:
        lines.setdefault(case.id, []).append(case.line)
    return {id: found for id, found in lines.items() if len(found) > 1}


def of_arguments(frames: Sequence[Path], references: Sequence[Path], captured_at: Sequence[str]) -> Case:
    """The case that the command line names. Raises CommandError."""
    if len(captured_at) > len(frames):
        raise CommandError("times_above", times=len(captured_at), frames=len(frames))
    try:
        times = _times({"captured_at": list(captured_at)}, "captured_at", len(frames))
    except CaseError as error:
        raise CommandError("captured_at", given=error.values["given"]) from error
    case = Case(
        id=str(frames[-1]),
        frames=tuple(frames),
        references=tuple(references),
        times=times,
        reference_times=(None,) * len(references),
    )
    _require(case)
    return _fit(case)


def _require(case: Case) -> None:
    """Raises CommandError where a picture is missing."""
    for path in (*case.frames, *case.references):
        try:
            found = path.is_file()
        except OSError as error:
            raise CommandError("unreadable", file=path, why=why(error)) from error
        if path.is_dir():
            raise CommandError("picture_folder", path=path)
        if not found:
            raise CommandError("no_picture", path=path)


def _fit(case: Case) -> Case:
    """The case with no more pictures than are looked at together: the newest frames, and of the references those that
    were taken nearest to the newest frame by the clock of the day, for their light is the most alike; where times are
    not known, some from all over."""
    left_out = max(0, len(case.frames) - MOST_FRAMES) + max(0, len(case.references) - MOST_REFERENCES)
    if not left_out:
        return case
    count, newest, times = len(case.references), case.times[-1], case.reference_times
    kept: Sequence[int] = range(count)
    if count > MOST_REFERENCES and newest is not None and any(times):
        kept = sorted(kept, key=lambda place: _apart(newest, times[place]))[:MOST_REFERENCES]
    elif count > MOST_REFERENCES:
        kept = [count - 1 - place * count // MOST_REFERENCES for place in range(MOST_REFERENCES)]
    return replace(
        case,
        frames=case.frames[-MOST_FRAMES:],
        times=case.times[-MOST_FRAMES:],
        references=tuple(case.references[place] for place in sorted(kept)),
        reference_times=tuple(times[place] for place in sorted(kept)),
        left_out=left_out,
    )


def _apart(one: datetime, other: datetime | None) -> float:
    """Seconds between two times by the clock of the day alone; without end where one is not known."""
    if other is None:
        return inf
    seconds = (one - other).total_seconds() % _DAY
    return min(seconds, _DAY - seconds)


def _parsed(line: bytes) -> Any:
    """Raises CaseError."""
    try:
        return json.loads(line.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise CaseError("not_json", column=error.colno) from error
    except UnicodeDecodeError as error:
        raise CaseError("not_utf8", place=error.start + 1) from error
    except RecursionError as error:
        raise CaseError("nested") from error
    except ValueError as error:
        raise CaseError("number") from error  # of more digits than Python reads


def _of_line(row: Any, folder: Path, number: int) -> Case:
    """Raises CaseError."""
    if not isinstance(row, dict):
        raise CaseError("no_object", example='{"frames": [...]}')
    frames, references = (_paths(row, key, folder) for key in ("frames", "refs"))
    if not frames:
        raise CaseError("no_frame")
    return Case(
        id=_id(row.get("id"), number),
        frames=frames,
        references=references,
        times=_times(row, "captured_at", len(frames)),
        reference_times=_times(row, "ref_at", len(references)),
        osd=_osd(row.get("osd")),
        label=_label(row),
        line=number,
    )


def _id(given: Any, number: int) -> str | float:
    """What the line calls its case; without that its number."""
    if given is None:
        return str(number)
    if isinstance(given, float) and isfinite(given):
        return given
    if isinstance(given, bool) or not isinstance(given, str | int):
        raise CaseError("id", given=json.dumps(given, ensure_ascii=False))
    return given


def _label(row: Mapping[str, Any]) -> Label | None:
    """What the keys ``cause`` (empty or null: healthy), ``severity`` and ``condition`` say; labels of others,
    which name no cause of ours, are none."""
    if "cause" not in row or row["cause"] not in (None, "", *Cause):
        return None
    cause = Cause(row["cause"]) if row["cause"] else None
    return Label(cause, str(row.get("severity") or "-"), str(row.get("condition") or "-"))


def _paths(row: Mapping[str, Any], name: str, folder: Path) -> tuple[Path, ...]:
    given = row.get(name) or []
    if not isinstance(given, list) or not all(isinstance(path, str) for path in given):
        raise CaseError("paths", name=name)
    return tuple(folder / path for path in given)


def _times(row: Mapping[str, Any], name: str, count: int) -> tuple[datetime | None, ...]:
    given = row.get(name) or []
    if not isinstance(given, list) or len(given) > count:
        raise CaseError("times", name=name)
    return (*(_time(at, name) for at in given), *[None] * (count - len(given)))


def _time(given: Any, name: str) -> datetime | None:
    if given is None:
        return None
    try:
        # Local time is what the light follows; a zone, where one is written, only says what is local.
        return datetime.fromisoformat(given).replace(tzinfo=None)
    except (ValueError, TypeError) as error:
        raise CaseError("time", name=name, given=given) from error


def _osd(given: Any) -> Mapping[str, object] | None:
    if given is None:
        return None
    box, layout = (given.get("box"), given.get("format")) if isinstance(given, dict) else (None, None)
    right = isinstance(box, list) and len(box) == 4 and all(_is_length(side) for side in box)
    if not right or not isinstance(layout, str):
        raise CaseError("osd", example='{"box": [x, y, w, h], "format": "YYYY-MM-DD HH:MM:SS"}')
    with suppress(ValueError):  # of a format that is not known nothing is read
        layout = outlines.layout(layout)
    return {"box": box, "format": layout}


def _is_length(side: object) -> bool:
    return isinstance(side, int | float) and not isinstance(side, bool) and abs(side) < 1e6
