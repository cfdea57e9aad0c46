"""How often what shows a site is to be asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column."""
    op.add_column("site", sa.Column("interval", sa.Float(), nullable=True))
