"""How good the picture judge is: `python -m tests.judge_evaluation [--pictures FOLDER] [--scenes N] [--write FOLDER]`.

Judges graded faults and healthy hard negatives (tests/picture/) of generated scenes, and of a folder of pictures with a
manifest.jsonl where one is named. Prints the share of faults given the right cause (moderate and severe), confusions,
false alarms by condition, and processor time; with references of the view and without. Scenes on which limits were set
(TUNED) are left out unless --tuned asks for them. --write keeps the cases as files for `camera-registry judge --cases`.
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

from camera_registry.model.picture import Judgement
from camera_registry.rules.pictures import judge
from camera_registry.rules.pictures.sight import sight
from probes.picture.child import Decoder
from probes.picture.examination import Examiner, Osd
from tests.picture import generated
from tests.picture.camera import Case, Coded
from tests.picture.cases import HARD, SEVERITIES, Scene, cases

TUNED = frozenset(
    {"intel_onebyone", "ufldwec", "cfz", "orinoquia", "missed_bird", "pheasant", "sdsu_water", "jet_room", "iai_park"}
)
"""Families of cameras that the limits of the judge were set on. Generated scenes never were."""
FRAMES_OF_A_CLIP, STEP = 4, 40
_FAMILY = re.compile(r"_?\d+$")


@dataclass
class Tally:
    """What was found of one way of judging."""

    found: dict[tuple[str, str], list[bool]] = field(default_factory=lambda: defaultdict(list))
    taken_for: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    alarms: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    seconds: list[float] = field(default_factory=list)

    def add(self, case: Case, judgement: Judgement, seconds: float) -> None:
        causes = [fault.cause.value for fault in judgement.faults]
        if len(case.frames) == 1:
            self.seconds.append(seconds)
        if not case.cause:
            self.alarms[case.condition].append(",".join(causes))
            return
        self.found[case.cause, case.severity].append(case.cause in causes)
        if case.cause not in causes and case.severity != "mild":
            self.taken_for[case.cause][",".join(causes) or "nothing"] += 1

    def lines(self) -> Iterator[str]:
        shares = []
        yield f"{'cause':<14}{'mild':>9}{'moderate':>10}{'severe':>9}{'mod+sev':>9}  taken for"
        for cause in sorted({cause for cause, _ in self.found}):
            graded = [self.found.get((cause, severity), []) for severity in SEVERITIES]
            counted = [*graded[1], *graded[2]]
            shares.append(sum(counted) / len(counted))
            cells = [f"{sum(hits)}/{len(hits)}" if hits else "-" for hits in graded]
            wrong = ", ".join(f"{name} {n}" for name, n in self.taken_for[cause].most_common(3))
            yield f"{cause:<14}{cells[0]:>9}{cells[1]:>10}{cells[2]:>9}{shares[-1]:>9.1%}  {wrong}"
        yield f"mean over causes {statistics.mean(shares):.1%}"
        every = [alarm for alarms in self.alarms.values() for alarm in alarms]
        yield f"false alarms {sum(map(bool, every))} of {len(every)} healthy: {sum(map(bool, every)) / len(every):.1%}"
        for condition, alarms in sorted(self.alarms.items()):
            wrong = sum(map(bool, alarms))
            if wrong or condition in HARD:
                named = ", ".join(f"{name} {n}" for name, n in Counter(filter(None, alarms)).most_common(3))
                yield f"  {condition:<16}{wrong:>4} of {len(alarms):<4}{wrong / len(alarms):>7.1%}  {named}"
        times = sorted(1000 * second for second in self.seconds)
        high = times[len(times) * 19 // 20]
        yield f"processor time of one picture: median {statistics.median(times):.1f} ms, 95 % below {high:.1f} ms"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=Path, help="folder with manifest.jsonl: path, camera and tags of each file")
    parser.add_argument("--scenes", type=int, default=8, help="generated scenes (%(default)s)")
    parser.add_argument("--tuned", action="store_true", help="scenes that limits were set on, in place of the others")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="keep the cases as files")
    args = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    sources: dict[str, Iterable[Scene]] = {}
    if args.scenes and not args.tuned:
        kinds = (generated.street, generated.room, generated.street, generated.wall)
        sources["generated scenes"] = [kinds[n % len(kinds)](100 + n) for n in range(args.scenes)]
    if args.pictures is not None:
        sources[f"pictures of {args.pictures}"] = _scenes_of(args.pictures, tuned=args.tuned)
    for name, scenes in sources.items():
        known, alone = Tally(), Tally()
        examiner = Examiner(Decoder())
        count = 0
        for scene in scenes:
            count += 1
            for case in cases(scene):
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


def _scenes_of(folder: Path, *, tuned: bool) -> Iterator[Scene]:
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
    row: dict[str, object] = {"id": case.id, "cause": case.cause, "severity": case.severity, "osd": case.osd}
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
