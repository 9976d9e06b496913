"""An archive for whoever needs one and saves nothing."""

from __future__ import annotations

from persistence.artifacts.archive import Archive
from persistence.artifacts.object_store import ObjectStore
from persistence.store.database import Database
from wire.slices.artifacts import Artifacts


def no_archive(database: Database) -> Archive:
    """Its folder is made by the first artifact, and so never."""
    return Archive(database, ObjectStore(Artifacts(artifacts_url="/nowhere/artifacts")), 1024)
