"""Keeps baselines: which pictures show how a view is meant to look, who said so, and the pictures themselves.

The rows are in the database, the pictures in files beside it that are named by their hash; unlike other evidence they
are kept until somebody takes them back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, RowMapping, delete, select

from camera_registry.model.baseline import Baseline, Regime
from camera_registry.store import audit, durable
from camera_registry.store.columns import clean
from camera_registry.store.tables import BaselineRow, table

_BASELINES = table(BaselineRow)
MOST = 4
"""Baselines of one channel in one regime; one more replaces the oldest."""
_YOUNG = timedelta(hours=1)


class Unfit(Exception):
    """This picture can't be a baseline: why, as the decoder says it; empty: there is none of its kind."""


class Unmeasured(Unfit):
    """There was no time to measure this picture: it may be fit."""


class Superseded(Unfit):
    """Another picture has come in place of the one that was looked at."""


def add(tx: Connection, baseline: Baseline) -> Baseline:
    """Keep one more baseline; returns it with its number. The oldest of its channel and regime goes, if there are too
    many."""
    values = {name: getattr(baseline, name) for name in _FIELDS} | {"reason": clean(baseline.reason)}
    made = tx.execute(_BASELINES.insert().values(values).returning(_BASELINES.c.id)).scalar_one()
    same = [one for one in of(tx, baseline.device, baseline.channel) if one.regime is baseline.regime]
    for old in sorted(same, key=lambda one: one.id)[:-MOST]:
        tx.execute(delete(_BASELINES).where(_BASELINES.c.id == old.id))
    _tell(tx, baseline, "accept", baseline.by, baseline.accepted_at)
    return replace(baseline, id=made)


def remove(tx: Connection, id: int, *, author: str, at: datetime) -> Baseline | None:
    """Take a baseline back; None when there is none."""
    row = tx.execute(select(_BASELINES).where(_BASELINES.c.id == id)).mappings().first()
    if row is None:
        return None
    tx.execute(delete(_BASELINES).where(_BASELINES.c.id == id))
    found = _baseline(row)
    _tell(tx, found, "take_back", author, at)
    return found


def repaint(tx: Connection, id: int, picture: str, masks: tuple[str, ...]) -> None:
    """Have a baseline name another picture: the same one with these masks in it."""
    tx.execute(_BASELINES.update().where(_BASELINES.c.id == id).values(picture=picture, masks=masks))


def shows(tx: Connection, picture: str) -> bool:
    """Whether any baseline names this picture."""
    return tx.execute(select(_BASELINES.c.id).where(_BASELINES.c.picture == picture)).first() is not None


def of(tx: Connection, device: str, channel: str) -> list[Baseline]:
    """The baselines of a channel, oldest first."""
    own = (_BASELINES.c.device == device) & (_BASELINES.c.channel == channel)
    query = select(_BASELINES).where(own).order_by(_BASELINES.c.id)
    return [_baseline(row) for row in tx.execute(query).mappings()]


def load(tx: Connection) -> list[Baseline]:
    """Every baseline, for a start."""
    return [_baseline(row) for row in tx.execute(select(_BASELINES).order_by(_BASELINES.c.id)).mappings()]


class BaselineFiles:
    """The accepted pictures under one directory. The calls block for a disk access each; run them on a thread."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def save(self, jpeg: bytes) -> str:
        """Keep a picture; returns its name. It is on the disk when this returns: somebody has decided on it."""
        name = hashlib.sha256(jpeg).hexdigest()
        path = self._path(name)
        if not path.exists():
            durable.write(path, jpeg)
        return name

    def read(self, name: str) -> bytes | None:
        """A picture, or None."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Forget a picture that nothing names any more."""
        self._path(name).unlink(missing_ok=True)

    def sweep(self, kept: Collection[str], now: datetime) -> int:
        """Remove pictures that none of ``kept`` names, and what an interrupted write left; returns how many files
        went. Young ones stay: their row may be about to be written."""
        gone = [
            file
            for file in self.directory.glob("??/*")
            if file.stem not in kept and now - datetime.fromtimestamp(file.stat().st_ctime, UTC) > _YOUNG
        ]
        for file in gone:
            file.unlink(missing_ok=True)
        return len(gone)

    def _path(self, name: str) -> Path:
        return self.directory / name[:2] / f"{name}.jpg"


_FIELDS = ("device", "channel", "regime", "taken_at", "picture", "by", "accepted_at", "reason", "masks")


def _baseline(row: RowMapping) -> Baseline:
    return Baseline(row["id"], **{name: row[name] for name in _FIELDS})


def _tell(tx: Connection, baseline: Baseline, action: str, actor: str, at: datetime) -> None:
    detail = {
        "channel": baseline.channel,
        "regime": Regime(baseline.regime).value,
        "taken": baseline.taken_at.isoformat(),
        "reason": baseline.reason,
    }
    audit.append(tx, actor, f"baseline.{action}", f"device/{baseline.device}", detail, at)
