"""Artifacts: the bytes that jobs leave behind, a row for each; the bytes themselves are in the object store.

The row comes first, as `uploading`, and names the place of the bytes; so whatever dies on the way, somebody knows what
to delete.  It becomes `kept` in the statement that sees its attempt still hold the lease.  Of a job, a kind and a name
one is kept: what is saved again replaces what was there.  What is not kept has a time at which the sweep looks at it.

No foreign key: the bytes must be deleted before the row, and the job may go long before both.

Revision: 0012, after 0011
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ARTIFACTS = """
CREATE TABLE warren.artifacts (
  id uuid NOT NULL,
  job_id uuid NOT NULL,
  lease integer NOT NULL,
  attempt integer NOT NULL,
  kind text NOT NULL,
  name text NOT NULL,
  content_type text NOT NULL,
  key text NOT NULL,
  state text NOT NULL DEFAULT 'uploading',
  size_bytes bigint,
  sha256 bytea,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  sweep_after timestamptz NOT NULL,
  CONSTRAINT artifacts_pkey PRIMARY KEY (id)
)
"""

MOST_RESULT_BYTES = 1_048_576

# As it was but for `result_artifact`, and that a result which is there is not in the outcome.
OUTCOME = f"""
CREATE OR REPLACE FUNCTION warren.outcome(job warren.jobs, state text) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT row_to_json(told) FROM (
    SELECT job.id, job.type, state, job.reason,
           CASE WHEN octet_length(job.result::text) <= {MOST_RESULT_BYTES} THEN job.result END AS result,
           coalesce(octet_length(job.result::text) > {MOST_RESULT_BYTES}, false) OR large.told IS NOT NULL
             AS result_omitted,
           large.told AS result_artifact,
           CASE WHEN job.error_type IS NOT NULL THEN json_build_object('type', job.error_type,
                                                                       'message', job.error_message) END AS error,
           job.attempt, warren.submit_instant(job.created_at) AS created_at,
           warren.submit_instant(job.started_at) AS started_at, warren.submit_instant(job.finished_at) AS finished_at,
           split_part(job.traceparent, '-', 2) AS trace_id
      FROM (SELECT) one LEFT JOIN LATERAL (
        SELECT json_build_object('id', a.id, 'size_bytes', a.size_bytes) AS told FROM warren.artifacts a
         WHERE outcome.state = 'completed' AND job.result IS NULL AND a.job_id = job.id AND a.lease = job.lease
           AND a.kind = 'result' AND a.state = 'kept' LIMIT 1) large ON true
  ) told
$$
"""  # noqa: S608 - made of a constant

OUTCOME_BEFORE = f"""
CREATE OR REPLACE FUNCTION warren.outcome(job warren.jobs, state text) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT row_to_json(told) FROM (
    SELECT job.id, job.type, state, job.reason,
           CASE WHEN octet_length(job.result::text) <= {MOST_RESULT_BYTES} THEN job.result END AS result,
           coalesce(octet_length(job.result::text) > {MOST_RESULT_BYTES}, false) AS result_omitted,
           CASE WHEN job.error_type IS NOT NULL THEN json_build_object('type', job.error_type,
                                                                       'message', job.error_message) END AS error,
           job.attempt, warren.submit_instant(job.created_at) AS created_at,
           warren.submit_instant(job.started_at) AS started_at, warren.submit_instant(job.finished_at) AS finished_at,
           split_part(job.traceparent, '-', 2) AS trace_id
  ) told
$$
"""  # noqa: S608 - made of a constant

INDEXES = {
    "UNIQUE INDEX artifacts_kept_once": "artifacts (job_id, kind, name) WHERE state = 'kept'",
    "INDEX artifacts_listed": "artifacts (job_id, created_at, id) WHERE state = 'kept'",
    "INDEX artifacts_to_sweep": "artifacts (sweep_after, id) WHERE state <> 'kept'",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(ARTIFACTS)
    for index, of in INDEXES.items():
        op.execute(f"CREATE {index} ON warren.{of}")
    op.execute(OUTCOME)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.execute(OUTCOME_BEFORE)
    op.execute("DROP TABLE warren.artifacts")
