"""Steps from one shape of the database to the next; Alembic runs them, the newest last.

A step is never edited once released: databases in the field were made by it.
"""

from __future__ import annotations

from pathlib import Path

HEAD = "0016"
"""The newest step. Kept here so that an up-to-date database opens without loading Alembic."""

STEPS = Path(__file__).parent


def known_versions() -> frozenset[str]:
    """Every shape that this program can bring up to date, or that is up to date."""
    return frozenset(path.name[:4] for path in (STEPS / "versions").glob("[0-9]*.py"))
