"""An order and its job in one transaction: both are there, or neither is.

In Django the connection is `from django.db import connection` and the transaction `with transaction.atomic():`; here it
is SQLAlchemy's session, which needs no project around it.  No `on_commit`, no task that starts before its row is there.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from warren import submit_in


def place_order(session: Session, number: int, items: list[str], job: str = "order") -> str:
    """Write the order and submit the job that packs it; whoever began the transaction commits it."""
    session.execute(text("INSERT INTO orders (number) VALUES (:number)"), {"number": number})
    job_id = submit_in(session, job, {"number": number, "items": items}, key=f"order {number}", tags=["shop"])
    return str(job_id)
