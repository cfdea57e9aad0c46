"""Sums of measured time by device and day, and the figures of frozen reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_SUMS = (
    "idle", "maintenance",
    "online_good", "online_bad", "online_parent", "online_unknown",
    "intact_good", "intact_bad", "intact_parent", "intact_unknown",
    "recording_good", "recording_bad", "recording_parent", "recording_unknown",
    "outages",
)  # fmt: skip


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "rate_day",
        sa.Column("zone", sa.String(), primary_key=True),
        sa.Column("day", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("device", sa.String(), primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _SUMS),
    )
    op.create_table(
        "rate_mark",
        sa.Column("zone", sa.String(), primary_key=True),
        sa.Column("day", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("flip", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
    )
    op.create_table(
        "frozen_report",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("frozen_at", sa.BigInteger(), nullable=False),
        sa.Column("frozen_by", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
    )
