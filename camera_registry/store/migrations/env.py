"""What Alembic loads to run the steps: on the connection that ``store.schema`` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from camera_registry.store.tables import METADATA

connection = context.config.attributes["connection"]
assert isinstance(connection, Connection)
context.configure(connection=connection, target_metadata=METADATA, transactional_ddl=True)
context.run_migrations()
