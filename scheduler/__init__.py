"""scheduler: time turns rows into messages.

**Promise.**  Every row of the outbox becomes a confirmed message, whoever wrote it and whatever died in between.

**Doors.**  `python -m scheduler`.  Any number of them may run; they share the rows by locks that skip.

**Failure modes.**  RabbitMQ away: rows wait.  Postgres away: the sweep waits.  A row that is not confirmed comes again
with doubling back-off; the claim removes the second copy.

Due schedules and the rescue of orphaned jobs move in here with later versions.
"""
