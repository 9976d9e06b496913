"""scheduler: time turns rows into messages.

**Promise.**  Every row of the outbox becomes a confirmed message, whoever wrote it and whatever died in between.  A
job whose worker or whose message is gone gets a fresh one; a job that only waits its turn does not.

**Doors.**  `python -m scheduler`.  Five loops: `sweep` (the outbox), `epoch` (a broker that lost its disk), `reap`
(workers that are gone), `rescue` (waiting jobs that were overtaken), `retention` (what has had its day).  The sweep is
woken by a notification when somebody has submitted through SQL.  Any number of schedulers may run; they share the rows
by locks that skip.

**Failure modes.**  RabbitMQ away: rows wait, and nothing is judged.  Postgres away: all loops wait, and the reaper
judges nobody until it has watched for a full lease again.  A row that is not confirmed comes again with doubling
back-off; the claim removes the second copy.  Rescuing too much costs messages, never a second run.

Due schedules move in here with later versions.
"""
