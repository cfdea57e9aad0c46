"""What pictures were like from day to day; and baselines without the measures that nothing read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the table, and drop the column."""
    op.create_table(
        "picture_day",
        sa.Column("device", sa.String(), primary_key=True),
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("regime", sa.String(), primary_key=True),
        sa.Column("day", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("begins", sa.Integer(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("contrast", sa.Integer(), nullable=False),
        sa.Column("sharpness", sa.Integer(), nullable=False),
        sa.Column("clear", sa.Integer(), nullable=False),
        sa.Column("usual", sa.Integer(), nullable=True),
        sqlite_with_rowid=False,
    )
    op.drop_column("baseline", "measures")
