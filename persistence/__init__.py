"""persistence: what Postgres remembers, and the recorder that turns messages into rows.

**Promise.**  An outcome is committed before its delivery is acked; an accepted job is committed before it is answered;
what cannot be decoded, routed or finished is kept with its bytes and a reason.

**Doors.**  One function per question: `accept`, `claim`, `record`, `cancel`, `reads`, `outbox`, `job_types`, `workers`;
`dead_letters` keeps them, `letters` reads them, `redrive` makes jobs of them.  The recorder (`python -m persistence`)
empties `births`, `dead` and `unrouted`; `listen` hears of jobs that other services insert with `warren.submit`, a
function in the database (docs/sql.md).  All other SQL of Warren is here; it lives in the Postgres schema `warren`, so
that Warren can share a service's own database.

**Failure modes.**  Postgres away or slow raises `DatabaseUnavailable` after a deadline; nothing is acked meanwhile.
A row that Postgres cannot store never fails its neighbours.
"""
