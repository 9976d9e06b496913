"""What Alembic runs for each command; the connection comes from `persistence.migrations`."""

from __future__ import annotations

from alembic import context

from persistence.migrations.expected import metadata
from persistence.store.database import SCHEMA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_name=lambda name, kind, _: kind != "schema" or name == SCHEMA,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
