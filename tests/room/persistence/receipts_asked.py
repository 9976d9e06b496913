"""All that is asked about receipts, once; see everything.py."""

from __future__ import annotations

from uuid import uuid4

import pytest

from persistence.receipts.forget import forget_receipts
from persistence.receipts.receipts import Receipts, TakenOver
from persistence.store.database import Database


async def receipts_are_asked_about(database: Database) -> None:
    receipts = Receipts(database, uuid4(), 1, "mail")
    await receipts.keep(["ada@example.org"])
    with pytest.raises(TakenOver):
        await receipts.known()
    await forget_receipts(database, 10)
