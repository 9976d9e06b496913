"""One look at what a statement has changed, and pages with room for it

Each claim and each record ran two triggers a statement (counts, counters of batches) and asked a third one for every
row (replies).  In batches of forty that was 14 µs of the 54 that a job cost Postgres, most of it for setting up queries
that found nothing: few jobs have a batch or somebody who waits for their outcome.  Now one trigger a statement counts,
looks once whether anything of the kind is there, and only then asks for more.  What it writes is what the three wrote,
in the same statement.  The same for INSERT; DELETE stays as it was, it is retention's and rare.

A job is written three times: born, claimed, recorded.  None of its updates is HOT, because indexes cover `state`, so
each new version went to another page as a whole; with half of a page left free it finds room beside the old one, and
the log holds only the difference (1,750 bytes a job instead of 1,990).

All indexes get an entry for each of the three versions, beside each other.  In the two that nobody reads meanwhile,
`jobs_listed` and `jobs_listed_by_type`, pages were full of first versions, and each second or third one made Postgres
look for dead ones in the table, then split the page: 11 µs of the 38 that a job cost in batches of two hundred, where
the other three came to 4 together.  Pages that are filled to 30 % at first have room for all three (5 to 7 µs less, and
a third less growth).  Nothing is rewritten here: pages that are full already stay so.

Revision: 0008, after 0007
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

CAME = """
CREATE FUNCTION warren.note_jobs_that_came() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO warren.job_deltas (state, type, queue, priority, jobs)
  SELECT state, type, queue, priority, count(*) FROM now_so GROUP BY state, type, queue, priority;
  IF EXISTS (SELECT FROM now_so WHERE batch_id IS NOT NULL) THEN
    INSERT INTO warren.batch_deltas (batch_id, total, pending, running, completed, failed, cancelled, expired)
    SELECT batch_id, count(*), count(*) FILTER (WHERE state IN ('scheduled', 'queued', 'retrying')),
           count(*) FILTER (WHERE state = 'running'), count(*) FILTER (WHERE state = 'completed'),
           count(*) FILTER (WHERE state = 'failed'), count(*) FILTER (WHERE state = 'cancelled'),
           count(*) FILTER (WHERE state = 'expired')
      FROM now_so WHERE batch_id IS NOT NULL GROUP BY batch_id;
  END IF;
  RETURN NULL;
END $$
"""

# A job's outcome is told from its row, which in this statement cannot change again.
CHANGED = """
CREATE FUNCTION warren.note_jobs_that_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO warren.job_deltas (state, type, queue, priority, jobs)
  SELECT state, type, queue, priority, sum(n) FROM (
    SELECT state, type, queue, priority, 1 AS n FROM now_so
     UNION ALL SELECT state, type, queue, priority, -1 FROM once_so) changed
   GROUP BY state, type, queue, priority HAVING sum(n) <> 0;
  IF EXISTS (SELECT FROM now_so WHERE batch_id IS NOT NULL OR reply_to IS NOT NULL) THEN
    INSERT INTO warren.batch_deltas (batch_id, total, pending, running, completed, failed, cancelled, expired)
    SELECT * FROM (
      SELECT batch_id, sum(n) AS total,
             coalesce(sum(n) FILTER (WHERE state IN ('scheduled', 'queued', 'retrying')), 0) AS pending,
             coalesce(sum(n) FILTER (WHERE state = 'running'), 0) AS running,
             coalesce(sum(n) FILTER (WHERE state = 'completed'), 0) AS completed,
             coalesce(sum(n) FILTER (WHERE state = 'failed'), 0) AS failed,
             coalesce(sum(n) FILTER (WHERE state = 'cancelled'), 0) AS cancelled,
             coalesce(sum(n) FILTER (WHERE state = 'expired'), 0) AS expired
        FROM (SELECT batch_id, state, -1 AS n FROM once_so WHERE batch_id IS NOT NULL
              UNION ALL SELECT batch_id, state, 1 FROM now_so WHERE batch_id IS NOT NULL) moves
       GROUP BY batch_id) sums
     WHERE (total, pending, running, completed, failed, cancelled, expired) <> (0, 0, 0, 0, 0, 0, 0);
    INSERT INTO warren.replies (job_id, type, reply_to, correlation_id, body, traceparent)
    SELECT j.id, j.type, j.reply_to, j.correlation_id, warren.outcome(j, j.state), j.traceparent
      FROM once_so o JOIN warren.jobs j ON j.id = o.id
     WHERE j.reply_to IS NOT NULL AND j.state IN ('completed', 'failed', 'cancelled', 'expired')
       AND o.state NOT IN ('completed', 'failed', 'cancelled', 'expired')
     ORDER BY j.id;
  END IF;
  RETURN NULL;
END $$
"""

BEFORE = {
    "count_jobs_at_insert": "AFTER INSERT ON warren.jobs REFERENCING NEW TABLE AS now_so "
    "FOR EACH STATEMENT EXECUTE FUNCTION warren.count_jobs()",
    "count_jobs_at_update": "AFTER UPDATE ON warren.jobs REFERENCING OLD TABLE AS once_so NEW TABLE AS now_so "
    "FOR EACH STATEMENT EXECUTE FUNCTION warren.count_jobs()",
    "children_born": "AFTER INSERT ON warren.jobs REFERENCING NEW TABLE AS born "
    "FOR EACH STATEMENT EXECUTE FUNCTION warren.count_children_born()",
    "children_moved": "AFTER UPDATE ON warren.jobs REFERENCING OLD TABLE AS before NEW TABLE AS after "
    "FOR EACH STATEMENT EXECUTE FUNCTION warren.count_children_moved()",
    "jobs_tell_outcome": "AFTER UPDATE OF state ON warren.jobs FOR EACH ROW "
    "WHEN (NEW.reply_to IS NOT NULL AND NEW.state IN ('completed', 'failed', 'cancelled', 'expired') "
    "AND OLD.state NOT IN ('completed', 'failed', 'cancelled', 'expired')) "
    "EXECUTE FUNCTION warren.tell_outcome()",
}
NOW = {
    "jobs_came": "AFTER INSERT ON warren.jobs REFERENCING NEW TABLE AS now_so "
    "FOR EACH STATEMENT EXECUTE FUNCTION warren.note_jobs_that_came()",
    "jobs_changed": "AFTER UPDATE ON warren.jobs REFERENCING OLD TABLE AS once_so NEW TABLE AS now_so "
    "FOR EACH STATEMENT EXECUTE FUNCTION warren.note_jobs_that_changed()",
}
LISTS = ("jobs_listed", "jobs_listed_by_type")
FUNCTIONS = {"note_jobs_that_came": CAME, "note_jobs_that_changed": CHANGED}


def upgrade() -> None:
    """In one transaction: no statement is counted twice or not at all."""
    op.execute("SET LOCAL lock_timeout = '10s'")
    for name, function in FUNCTIONS.items():
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION warren.{name}() FROM PUBLIC")
    _exchange(BEFORE, NOW)
    op.execute("ALTER TABLE warren.jobs SET (fillfactor = 50)")
    for index in LISTS:
        op.execute(f"ALTER INDEX warren.{index} SET (fillfactor = 30)")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    for index in LISTS:
        op.execute(f"ALTER INDEX warren.{index} RESET (fillfactor)")
    op.execute("ALTER TABLE warren.jobs RESET (fillfactor)")
    _exchange(NOW, BEFORE)
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION warren.{name}()")


def _exchange(old: dict[str, str], new: dict[str, str]) -> None:
    for name in old:
        op.execute(f"DROP TRIGGER {name} ON warren.jobs")
    for name, trigger in new.items():
        op.execute(f"CREATE TRIGGER {name} {trigger}")
