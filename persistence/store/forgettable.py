"""Commits that Postgres may forget if it crashes, because nobody has been promised anything by them.

What a caller was told, or an ack stands on, waits for the disk.  That a job has been claimed is of no use to anybody
once Postgres has crashed: who runs it knows, and reminds the row (persistence/crew/remind.py) or records over it.  So a
claim is seen by all at once, and comes to the disk with the next commit that has to wait for it.  On a disk whose sync
takes five milliseconds a job starts five milliseconds sooner.

The same holds for the outbox row of a message that RabbitMQ has confirmed: where its end is forgotten the sweep sends
it once more, and the copy is recognised by its run.

Refuses to be the setting of a server, a session or a room: it is said in the very statement that may be forgotten.
"""

from __future__ import annotations

from typing import Final

MAY_BE_FORGOTTEN: Final = "(SELECT set_config('synchronous_commit', 'off', true)) = 'off'"
"""A condition that always holds and is asked once; it speaks for the transaction of its statement."""
