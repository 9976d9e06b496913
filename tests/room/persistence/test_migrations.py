"""The schema: what the migrations build is what the code sees, and each can be undone."""

from __future__ import annotations

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from persistence.migrations import downgrade, engine_for, upgrade
from persistence.migrations.expected import metadata
from persistence.store.database import SCHEMA


async def test_the_migrations_build_the_tables_that_the_code_sees(database_url: str) -> None:
    engine = engine_for(database_url)
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(
                MigrationContext.configure(
                    sync,
                    opts={
                        "include_schemas": True,
                        "version_table_schema": SCHEMA,
                        "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
                    },
                ),
                metadata,
            )
        )
    await engine.dispose()

    assert [] == differences


def test_the_schema_can_be_taken_down_and_built_again(database_url: str) -> None:
    downgrade(database_url, "base")
    upgrade(database_url)
    upgrade(database_url)  # a second run finds nothing to do


async def test_everything_lives_in_the_schema_warren(database_url: str) -> None:
    """Warren can live inside a service's own database."""
    connection = await asyncpg.connect(database_url)
    tables = await connection.fetch("SELECT schemaname FROM pg_tables WHERE schemaname NOT LIKE ALL($1)", ["pg_%"])
    await connection.close()

    assert {"warren", "information_schema"} >= {row["schemaname"] for row in tables}
    assert tables
