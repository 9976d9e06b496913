"""persistence: what Postgres remembers, and the recorder that turns messages into rows.

**Promise.**  An outcome is committed before its delivery is acked; an accepted job is committed before it is answered;
what cannot be decoded, routed or finished is kept with its bytes and a reason.

**The way of a job.**  `accepting` makes it a row and the row a message; `foreign` (the recorder, which is `python -m
persistence`) does so for messages that came without a row; `attempts` says which delivery may run and writes what
became of it; `ending` is a cancel, a delete, a retry by hand, and at last retention.  `mending` finds what is stuck,
`crew` who is gone, `letters` keep what could not be done, `batches` are many jobs as one, `schedules` one over and
over.  `questions` answers people; `declared` is what must be known before the first job; `store` is how all of them
talk to Postgres.  `tables` is what Alembic compares `migrations` with.

**What jobs share and leave behind.**  `artifacts` are the bytes, `articles` what was read at which address, `crawls`
who asked for which of them, `frontiers` how far one job has followed links, `hosts` whose turn it is at each,
`receipts` who was mailed already, `backups` where those are kept, `forgotten` how many jobs there once were.

**Doors.**  One function per question.  Other services insert jobs with `warren.submit`, a function in the database
(docs/sql.md).  All other SQL of Warren is here; it lives in the Postgres schema `warren`, so that Warren can share a
service's own database.

**Failure modes.**  Postgres away or slow raises `DatabaseUnavailable` after a deadline; nothing is acked meanwhile.
A row that Postgres cannot store never fails its neighbours.
"""
