"""An empty SQLite database of today's shape, to be copied: to make one takes every step there ever was."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from camera_registry.store import Store


def shaped(directory: Path) -> Path:
    """This data directory, made where it is missing, with such a database in it where there is none."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    name, content = _empty()
    if not (directory / name).exists():
        (directory / name).write_bytes(content)
    return directory


@cache
def _empty() -> tuple[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        with Store.open("", Path(folder)) as store:
            file = store.file
        assert file is not None
        return file.name, file.read_bytes()
