"""All tables that the migrations must have built: each of these modules puts its own into the metadata."""

from __future__ import annotations

import persistence.articles.tables
import persistence.crawls.tables
import persistence.forgotten.tables
import persistence.frontiers.tables
import persistence.hosts.tables
import persistence.receipts.tables
import persistence.schedules.tables  # noqa: F401 - it is enough that they are loaded
from persistence.tables import metadata

__all__ = ["metadata"]
