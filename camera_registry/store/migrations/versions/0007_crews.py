"""Whose orders an account sees; photographs of orders, and what a ticket platform calls them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables and the column."""
    # By hand, because Alembic adds the reference in a second step, which SQLite does not have.
    op.execute("ALTER TABLE account ADD COLUMN crew VARCHAR REFERENCES crew (id) DEFERRABLE INITIALLY DEFERRED")
    op.create_index("ix_account_crew", "account", ["crew"])
    op.create_table(
        "attachment",
        sa.Column("id", _BIG, primary_key=True, autoincrement=True),
        sa.Column("order_id", _BIG, sa.ForeignKey("work_order.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.UniqueConstraint("order_id", "sha256"),
    )
    op.create_table(
        "order_reference",
        sa.Column("order_id", _BIG, sa.ForeignKey("work_order.id"), primary_key=True, autoincrement=False),
        sa.Column("reference", sa.String(), nullable=False),
    )
    op.create_index("ix_order_reference_reference", "order_reference", ["reference"])
