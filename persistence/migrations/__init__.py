"""Bring the schema `warren` to the newest version.

Run once by `python -m persistence migrate`, before any other process starts; an advisory lock lets two runs follow one
another.  Each version suits the code before it and after it, sets a lock timeout, has a downgrade and says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from persistence.store.database import SCHEMA

LOCK: Final = 7_267_747  # one number for "Warren migrates"


def upgrade(database_url: str, revision: str = "head") -> None:
    """All versions up to this one; does nothing where they stand already."""
    asyncio.run(_run(database_url, lambda config: command.upgrade(config, revision)))


def downgrade(database_url: str, revision: str) -> None:
    asyncio.run(_run(database_url, lambda config: command.downgrade(config, revision)))


def engine_for(database_url: str) -> AsyncEngine:
    """For Alembic.  A user named like the schema would have it as default schema, and Alembic would not see it."""
    return create_async_engine(
        database_url.replace("postgresql://", "postgresql+asyncpg://", 1),
        poolclass=NullPool,
        connect_args={"server_settings": {"search_path": "public"}},
    )


async def _run(database_url: str, step: Callable[[Config], None]) -> None:
    engine = engine_for(database_url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            await connection.run_sync(lambda sync: step(_config(sync)))
    finally:
        await engine.dispose()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
