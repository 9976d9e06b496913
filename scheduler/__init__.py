"""scheduler: time turns rows into messages.

**Promise.**  A due time of a schedule becomes one job, whichever schedulers live.  Every row of the outbox becomes a
confirmed message, whoever wrote it and whatever died in between.  A job whose worker or whose message is gone gets a
fresh one; a job that only waits its turn does not.

**Doors.**  `python -m scheduler`.  The loops: `clock` (schedules; it has a page of its own), `sweep` (the outbox),
`replies` (outcomes that somebody asked for), `epoch` (a broker that lost its disk), `reap` (workers that are gone),
`rescue` (waiting jobs that were overtaken), `retention` (what has had its day), `fold` (the deltas of the counts),
`artifacts` (bytes that nobody keeps), `batches` (their ends, and what is ordered for all their jobs), `hosts` (lines
that nobody is left to call), `figures` (of the whole cluster).  `rounds` is what they have in common.  A notification
wakes the sweep when somebody has submitted through SQL, and the clock when somebody has changed a schedule.  Any number
of schedulers may run; they share the rows by locks that skip, and the schedules by segments.

**Failure modes.**  RabbitMQ away: rows wait, and nothing is judged.  Postgres away: all loops wait, and the reaper
judges nobody until it has watched for a full lease again.  A row that is not confirmed comes again with doubling
back-off; the claim removes the second copy.  Rescuing too much costs messages, never a second run.
"""
