"""How good the picture judge is: `python -m tests.judge_evaluation [--pictures FOLDER] [--scenes N] [--write FOLDER]`.

Judges graded faults and healthy hard negatives (tests/picture/) of generated scenes, and of a folder of pictures with a
manifest.jsonl where one is named. Prints the share of faults given the right cause (moderate and severe), recall at two
rates of false alarms, confusions, false alarms by condition, and processor time; with references of the view and
without. Scenes on which limits were set (TUNED) are left out unless --tuned asks for them; --other makes other faults
and weather, --mixed faults as they are met, of which any of several causes is right, --plain what anybody would make by
arithmetic on levels. --write keeps the cases as files
for `camera-registry judge --cases FILE --report`.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from camera_registry.cli import judge_report
from camera_registry.model.health import Cause
from camera_registry.model.picture import Judgement
from camera_registry.rules.pictures import judge
from camera_registry.rules.pictures.report import Answer, report
from camera_registry.rules.pictures.sight import sight
from camera_registry.texts import texts
from probes.picture.burnt_in import Osd
from probes.picture.child import Decoder
from probes.picture.examination import Examiner
from tests.picture import generated, mixed_cases, other_cases, plain
from tests.picture.camera import Case, Coded
from tests.picture.cases import Scene, cases

TUNED = frozenset(
    {"intel_onebyone", "ufldwec", "cfz", "orinoquia", "missed_bird", "pheasant", "sdsu_water", "jet_room", "iai_park"}
)
"""Families of cameras that the limits of the judge were set on. Generated scenes never were."""
FRAMES_OF_A_CLIP, STEP = 4, 40
_FAMILY = re.compile(r"_?\d+$")


@dataclass
class Tally:
    """What was found of one way of judging."""

    answers: list[Answer] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    kinds: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, case: Case, judgement: Judgement, seconds: float) -> None:
        if len(case.frames) == 1:
            self.seconds.append(seconds)
        told = {fault.cause.value for fault in judgement.faults}
        right = mixed_cases.RIGHT.get(case.condition, frozenset({case.cause})) if case.cause else frozenset()
        cause = Cause(min(right & told or {case.cause})) if case.cause else None
        if len(right) > 1 and case.severity != "mild":
            self.kinds[case.condition]["told" if right & told else "not told"] += 1
        self.answers.append(Answer(cause, case.severity, case.condition, judgement))

    def lines(self) -> Iterator[str]:
        yield from judge_report.lines(report(self.answers, frozenset({"mild"})), texts("en"))
        for kind, found in sorted(self.kinds.items()):
            yield f"{kind}: a right cause told of {found['told']} of {found.total()} moderate and severe"
        times = sorted(1000 * second for second in self.seconds)
        high = times[len(times) * 19 // 20]
        yield f"processor time of one picture: median {statistics.median(times):.1f} ms, 95 % below {high:.1f} ms"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=Path, help="folder with manifest.jsonl: path, camera and tags of each file")
    parser.add_argument("--scenes", type=int, default=8, help="generated scenes (%(default)s)")
    parser.add_argument("--other", action="store_true", help="by the laws of tests/picture/otherwise.py")
    parser.add_argument("--mixed", action="store_true", help="by the laws of tests/picture/mixed.py")
    parser.add_argument("--plain", action="store_true", help="by the laws of tests/picture/plain.py")
    parser.add_argument("--tuned", action="store_true", help="scenes that limits were set on, in place of the others")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="keep the cases as files")
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    make = (
        mixed_cases.cases if args.mixed else other_cases.cases if args.other else plain.cases if args.plain else cases
    )
    sources: dict[str, Iterable[Scene]] = {}
    if args.scenes and not args.tuned:
        kinds = (generated.street, generated.room, generated.street, generated.wall)
        sources["generated scenes"] = [kinds[n % len(kinds)](100 + n) for n in range(args.scenes)]
    if args.pictures is not None:
        sources[f"pictures of {args.pictures}"] = scenes_of(args.pictures, tuned=args.tuned)
    for name, scenes in sources.items():
        known, alone = Tally(), Tally()
        examiner = Examiner(Decoder())
        count = 0
        for scene in scenes:
            count += 1
            for case in make(scene):
                if args.write is not None:
                    _write(case, args.write)
                known.add(case, *_judged(examiner, case))
                alone.add(case, *_judged(examiner, _without_references(case)))
        print(f"\n== {name}: {count} scenes, with references of the view", *known.lines(), sep="\n")
        print(f"\n== {name}: {count} scenes, from the picture alone", *alone.lines(), sep="\n", flush=True)
    return 0


def _judged(examiner: Examiner, case: Case) -> tuple[Judgement, float]:
    began = time.process_time()
    osd = None
    if case.osd is not None:
        box: Any = case.osd["box"]
        osd = Osd((box[0], box[1], box[2], box[3]), str(case.osd["format"]))
    found = examiner.examine(case.frames, case.references, case.captured_at, case.reference_at, osd)
    judgement = judge(sight(found, case.captured_at, case.reference_at))
    return judgement, time.process_time() - began


def _without_references(case: Case) -> Case:
    return Case(
        case.id, case.scene, case.cause, case.severity, case.condition, case.frames, case.captured_at, osd=case.osd
    )


def scenes_of(folder: Path, *, tuned: bool) -> Iterator[Scene]:
    """The scenes of a folder: clips give several pictures of one view, every other file one."""
    cameras: dict[str, tuple[list[str], list[Coded]]] = {}
    for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if (_FAMILY.sub("", row["camera"]) in TUNED) is not tuned:
            continue
        pictures = list(_pictures(folder / row["path"]))
        if "camera_trap" in row["tags"]:
            # Camera traps burn broad bars into the upper and lower border, which no street camera does.
            pictures = [picture[round(0.05 * len(picture)) : round(0.92 * len(picture))] for picture in pictures]
        cameras.setdefault(row["camera"], (row["tags"], []))[1].extend(pictures)
    for camera, (tags, pictures) in cameras.items():
        condition = "low_texture" if "low_texture" in tags else "infrared" if "ir" in tags else "day"
        yield Scene(camera, tuple(pictures), condition)


def _pictures(path: Path) -> Iterator[Coded]:
    if path.suffix in (".jpg", ".png"):
        yield np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR), dtype=np.uint8)
        return
    with av.open(str(path)) as clip:
        for number, frame in enumerate(clip.decode(video=0)):
            if number % STEP == 0:
                yield frame.to_ndarray(format="bgr24")
            if number >= STEP * (FRAMES_OF_A_CLIP - 1):
                return


def _write(case: Case, folder: Path) -> None:
    name = case.id.replace("/", "_")
    folder.mkdir(parents=True, exist_ok=True)
    row: dict[str, object] = {"id": case.id, "cause": case.cause, "severity": case.severity}
    row |= {"condition": case.condition, "osd": case.osd}
    for key, pictures in (("frames", case.frames), ("refs", case.references)):
        files = [f"{name}_{key}_{n}.jpg" for n in range(len(pictures))]
        for file, picture in zip(files, pictures, strict=True):
            (folder / file).write_bytes(picture)
        row[key] = files
    row["captured_at"] = [at.isoformat() for at in case.captured_at]
    row["ref_at"] = [at.isoformat() for at in case.reference_at]
    with (folder / "cases.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
