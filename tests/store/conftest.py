"""A store on each database: a SQLite file, and a database of its own on a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from camera_registry.store import Store


@pytest.fixture
def store(shaped_url: str, tmp_path: Path) -> Iterator[Store]:
    """An open, empty store."""
    with Store.open(shaped_url, tmp_path / "data") as opened:
        yield opened
