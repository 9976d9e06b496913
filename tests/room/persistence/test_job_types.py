"""The catalogue: what is known of the types, and how surely."""

from __future__ import annotations

from persistence.declared.job_types import Catalogue, register
from persistence.store.database import Database
from tests.room.persistence.rows import ECHO


async def test_a_type_that_was_registered_a_moment_ago_is_known_to_who_must_be_sure(database: Database) -> None:
    """
    Or the first job of a new type would become a dead letter, because its worker has just looked and found nothing.
    """
    catalogue = Catalogue(database, 15)
    await catalogue.refresh()
    await register(database, [ECHO])
    surely = await catalogue.find(ECHO.name, surely=True)

    assert ECHO.queue == (surely and surely.queue)
