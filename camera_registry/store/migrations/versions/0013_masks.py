"""What is known of a channel's picture: privacy masks, its burnt-in clock, whether it may move."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the columns, and the list of what is to be masked."""
    op.add_column("channel", sa.Column("masks", sa.Text(), nullable=False, server_default="[]"))
    for name in ("osd_box", "osd_format", "osd_zone"):
        op.add_column("channel", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("channel", sa.Column("may_move", sa.Boolean(), nullable=True))
    op.add_column("baseline", sa.Column("masks", sa.Text(), nullable=False, server_default="[]"))
    op.create_table(
        "masking",
        sa.Column("device", sa.String(), primary_key=True),
        sa.Column("channel", sa.String(), primary_key=True),
    )
