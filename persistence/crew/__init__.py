"""crew: who works, who is gone, and what becomes of the jobs they held.

**Promise.**  The database's clock alone says who is alive; a crash is charged to the sole suspect and to nobody beside
it.

`workers` is a row a process and its heartbeat, `workforce` what people ask about them.  `crashes` buries a dead process
in one statement, `remind` tells a Postgres that has crashed what it has forgotten, `reaping` sends again what nobody
has taken over.  Whether one may judge at all is not decided here: scheduler/reap.py knows for how long it has been
watching.
"""
