"""Frozen figures by report, period and zone, where they had one name made of all three; kept sums are thrown away: days
were missing after a window that ended at midnight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOLD = ("frozen_at", "frozen_by", "version", "figures")


def upgrade() -> None:
    """Make the table anew, take over what was frozen, and have sums computed anew."""
    new = op.create_table(
        "freeze",
        sa.Column("report", sa.String(), primary_key=True),
        sa.Column("begins", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("ends", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("zone", sa.String(), primary_key=True),
        sa.Column("frozen_at", sa.BigInteger(), nullable=False),
        sa.Column("frozen_by", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
    )
    old = sa.table("frozen_report", *(sa.column(name) for name in ("name", *_TOLD)))
    for row in op.get_bind().execute(sa.select(old)).mappings().all():
        # Rates were named by their stretch alone, coverage as coverage/BEGINS/ENDS/ZONE.
        coverage = row["name"].startswith("coverage/")
        begins, ends, *zone = row["name"].removeprefix("coverage/").split("/", 2)
        head = {"report": "coverage" if coverage else "availability", "zone": zone[0] if zone else ""}
        stretch = {"begins": _instant(begins), "ends": _instant(ends)}
        op.execute(new.insert().values(**head, **stretch, **{name: row[name] for name in _TOLD}))
    op.drop_table("frozen_report")
    for table in ("rate_day", "rate_mark"):
        op.execute(sa.delete(sa.table(table)))


def _instant(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
