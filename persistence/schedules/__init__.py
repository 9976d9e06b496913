"""What Postgres knows of schedules: what each is to do, when it is due next, and what became of each due time.

**Promise.**  A due time has one run and at most one job, whatever clocks do: the run's primary key is the due time, the
job's id is derived from it, and one statement makes both, the outbox row and the schedule's next step (`fire`).

**Doors.**  For people: `make`, `read`, `change`, `pause`, `trigger`, `backfill`, `runs`.  For the clock, on the
connection that holds its segments: `due` says what and when, `fire` makes runs, `close` sees how they ended, `buffered`
starts what waited for that.  No instant is computed here: callers bring them, made by wire/times.

**Failure modes.**  Who comes late changes nothing: each write compares the version, or the due time that its caller
has seen.  A type that nobody serves, or a row that Postgres cannot store, is a skipped run with its reason.
"""
