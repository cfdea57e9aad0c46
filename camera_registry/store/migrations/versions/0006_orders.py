"""Work orders and their time lines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    text, number, time = sa.String, sa.Integer, sa.BigInteger
    op.create_table(
        "work_order",
        sa.Column("id", _BIG, primary_key=True, autoincrement=False),
        sa.Column("incident", _BIG, sa.ForeignKey("incident.id"), nullable=False),
        sa.Column("scope", text(), nullable=False),
        sa.Column("about", text(), nullable=False),
        sa.Column("cause", text(), nullable=False),
        sa.Column("severity", text(), nullable=False),
        sa.Column("opened_at", time(), nullable=False),
        sa.Column("sent_at", time(), nullable=False),
        sa.Column("deadlines", sa.Text(), nullable=False),
        sa.Column("state", text(), nullable=False),
        sa.Column("area", text(), nullable=False),
        sa.Column("contractor", text(), nullable=False),
        sa.Column("crew", text(), nullable=False),
        sa.Column("calendar", text(), nullable=False),
        *(sa.Column(f"{phase}_due", time(), nullable=True) for phase in ("accept", "arrive", "repair")),
        sa.Column("symptoms", sa.Text(), nullable=False),
        sa.Column("affected", number(), nullable=False),
        *(
            sa.Column(f"{done}_at", time(), nullable=True)
            for done in ("accepted", "arrived", "fixed", "recovered", "verified", "closed")
        ),
        sa.Column("held_from", text(), nullable=True),
        sa.Column("holds", sa.Text(), nullable=False),
        sa.Column("cancelled", text(), nullable=True),
        sa.Column("overdue", sa.Text(), nullable=False),
        sa.Column("escalations", number(), nullable=False),
        sa.Column("repeats", number(), nullable=False),
        sa.Column("rating", sa.Text(), nullable=True),
        sa.Column("started", time(), nullable=True),
        sa.Column("version", number(), nullable=False),
    )
    for name, columns in (
        ("state", ["state", "id"]),
        ("crew", ["crew", "id"]),
        ("contractor", ["contractor", "opened_at"]),
        ("about", ["about", "id"]),
        ("incident", ["incident"]),
        ("opened_at", ["opened_at"]),
    ):
        op.create_index(f"ix_work_order_{name}", "work_order", columns)
    op.create_table(
        "work_order_step",
        sa.Column("id", _BIG, primary_key=True, autoincrement=True),
        sa.Column("work_order", _BIG, sa.ForeignKey("work_order.id"), nullable=False),
        sa.Column("step", text(), nullable=False),
        sa.Column("at", time(), nullable=False),
        sa.Column("state", text(), nullable=False),
        sa.Column("actor", text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
    )
    op.create_index("ix_work_order_step_work_order", "work_order_step", ["work_order"])
