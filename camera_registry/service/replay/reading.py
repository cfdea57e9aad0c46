"""This file reads the files of an observation log in their order, and finds what is missing from them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from camera_registry.service.replay.records import FORMAT, WHAT, Checkpoint, Line, Lost, Remembered, Started, decode
from camera_registry.texts.errors import TellableError

NAMES = "observations-*.jsonl*"

CHECKPOINT = ".checkpoint"
"""In the name of a checkpoint, before the ending of that file with which the log goes on from it."""


class LogError(TellableError):
    """A log can't be read at all: the message says where, why and what to do."""

    section = "log_error"


@dataclass(frozen=True, slots=True)
class Flaw:
    """A place at which a log is not whole: ``key`` of [log_flaw] in the texts, with its values, says in what way.
    ``breaks``: what follows it can't be decided, until the next start."""

    place: str
    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    breaks: bool = True


def files(given: Iterable[Path]) -> list[Path]:
    """The files of a log, in order; a folder stands for those in it. Raises LogError."""
    found: list[Path] = []
    for path in given:
        inside = sorted(path.glob(NAMES)) if path.is_dir() else [path]
        if not inside:
            raise LogError("none", folder=path)
        # A file that was being compressed when the service was killed is there twice.
        whole = {one.name.removesuffix(".gz"): one for one in inside if not one.name.endswith(".part")}
        found += whole.values()
    if found and CHECKPOINT not in found[0].name:
        number = found[0].name.split(".")[0]
        found[:0] = found[0].parent.glob(f"{number}{CHECKPOINT}.jsonl.gz")
    return found


def read(paths: Iterable[Path]) -> Iterator[Line | Flaw]:
    """The records of these files, and what is wrong between them. Raises LogError."""
    last: int | None = None
    for path in paths:
        torn: Flaw | None = None
        for number, text in _lines(path):
            place = f"{path}:{number}"
            if torn is not None:
                yield torn
                last, torn = None, None
            if number == 1:
                _check(place, text)
                continue
            if not text.endswith(b"\n"):
                # Whatever a killed process was about to write had no consequences that were stored.
                yield Flaw(place, "torn", breaks=False)
                break
            try:
                line = decode(text)
            except ValueError as error:
                torn = Flaw(place, "unreadable", {"why": error})
                continue
            if isinstance(line.record, Lost):
                yield Flaw(place, "lost", {"records": line.record.records, "why": line.record.why})
            elif not isinstance(line.record, Started) and last is not None:
                expected = last if isinstance(line.record, Checkpoint | Remembered) else last + 1
                if line.n != expected:
                    yield Flaw(place, "missing", {"first": last + 1, "last": line.n + last - expected})
            last = line.n
            yield line
        if torn is not None:
            yield torn


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield from enumerate(file, 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise LogError("unreadable", file=path, why=reason) from error


def _check(place: str, text: bytes) -> None:
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict) or told.get("log") != WHAT:
        raise LogError("foreign", place=place)
    if told.get("format") != FORMAT:
        raise LogError("format", place=place, has=told.get("format"), program=told.get("program"), reads=FORMAT)
