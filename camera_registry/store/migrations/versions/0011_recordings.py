"""What recorders have and lack. Kept sums of rates are thrown away: they are computed anew, in fewer pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_SUMS = (
    "idle", "maintenance",
    "online_good", "online_bad", "online_parent", "online_unknown",
    "intact_good", "intact_bad", "intact_parent", "intact_unknown",
    "recording_good", "recording_bad", "recording_parent", "recording_unknown",
    "outages",
)  # fmt: skip


def upgrade() -> None:
    """Make the tables, and an index that holds all that rates ask of a flip."""
    op.create_table(
        "recording",
        sa.Column("device", sa.String(), primary_key=True),
        sa.Column("token", sa.String(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "recording_gap",
        sa.Column("device", sa.String(), primary_key=True),
        sa.Column("token", sa.String(), primary_key=True),
        sa.Column("since", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("lack", sa.String(), nullable=False),
        sa.Column("resolution", sa.Float(), nullable=False),
    )
    op.drop_index("ix_flip_subject", "flip")
    op.create_index("ix_flip_subject", "flip", ["device", "channel", "aspect", "at", "after"])
    op.drop_table("rate_day")
    op.create_table(
        "rate_day",
        sa.Column("zone", sa.String(), primary_key=True),
        sa.Column("day", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("device", sa.String(), primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _SUMS),
        sqlite_with_rowid=False,
    )
    op.execute("DELETE FROM rate_mark")
