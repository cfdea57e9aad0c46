"""What was measured of the pictures of a watched camera, kept in a file, so that rules can be tried over it again."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from probes.picture.child import Decoder
from probes.picture.examination import Examiner
from tests.picture.month import Watched

_REFERENCES = "references"


class Measured:
    """The pictures of one camera as they were measured: each is taken once, whichever rules ask for it.

    A file of a ``folder`` has a line of JSON for each picture, packed: its time, what may look like a fault in it, and
    what ``Examiner.examine`` found; what was measured of the references stands in the first one only.
    """

    def __init__(self, camera: Watched, folder: Path | None) -> None:
        self.camera = camera
        self.reference_times = camera.reference_times()
        self._path = None if folder is None else folder / f"{camera.area.name}+{camera.name}.jsonl.gz".replace("/", "-")
        self._found: dict[datetime, dict[str, Any]] = {}
        self._fresh: list[datetime] = []
        self._references: Any = None
        self._examiner: Examiner | None = None
        self._known: list[bytes] = []
        if self._path is not None and self._path.exists():
            for line in gzip.decompress(self._path.read_bytes()).splitlines():
                row = json.loads(line)
                self._references = row["found"].pop(_REFERENCES, self._references)
                self._found[datetime.fromisoformat(row["at"])] = row["found"]

    def __len__(self) -> int:
        return len(self._found)

    @property
    def times(self) -> list[datetime]:
        return sorted(self._found)

    def of(self, at: datetime) -> Mapping[str, Any]:
        """What is found of the picture that is taken at a time, as ``Examiner.examine`` tells it."""
        if at not in self._found:
            self._found[at] = self._take(at)
            self._fresh.append(at)
        return {**self._found[at], _REFERENCES: self._references}

    def _take(self, at: datetime) -> dict[str, Any]:
        if self._examiner is None:
            self._examiner = Examiner(Decoder())
            self._known = [jpeg for jpeg, _ in self.camera.references()]
        found = self._examiner.examine(
            [self.camera.picture(at)], self._known, [at], self.reference_times, self.camera.osd
        )
        found.pop("where")
        self._references = found.pop(_REFERENCES)
        return json.loads(json.dumps(found))  # type: ignore[no-any-return]

    def save(self) -> None:
        """Append what is new."""
        if self._path is None or not self._fresh:
            return
        rows = (
            {"at": at.isoformat(), "conditions": self.camera.conditions(at), "found": self._found[at]}
            for at in self._fresh
        )
        lines = [*rows]
        if not self._path.exists():
            lines[0]["found"] = {**self._found[self._fresh[0]], _REFERENCES: self._references}
        with self._path.open("ab") as file:
            file.write(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode(), 4))
        self._fresh.clear()
