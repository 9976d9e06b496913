"""The SQL door: `warren.submit(…)`, so that another service submits a job inside of its own transaction

One function to call and those that it stands on; no table changes.  `submit` is SECURITY DEFINER with a search path of
its own: a role with USAGE on the schema and EXECUTE on this one function can submit and do nothing else, and nobody may
call any of them until it is granted.  It writes the bytes that the other doors would write for the same request, so
that an id, a key and a hash mean the same everywhere.  The notification is sent by Postgres when the caller commits;
without one the scheduler's poll finds the row.

Revision: 0003, after 0002
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# What cannot be taken ends the caller's transaction there and then, in a sentence with the field and the remedy.
REFUSE = """
CREATE FUNCTION warren.submit_refuse(field text, problem text, remedy text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '%: %; %', field, problem, remedy USING ERRCODE = '22023', COLUMN = field;
END $$
"""

# The first 16 bytes with the version and the variant of a UUID put in; see wire/identity.py.
STAMP = """
CREATE FUNCTION warren.submit_uuid(raw bytea, version int) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
  SELECT encode(set_byte(set_byte(substring(raw FOR 16), 6, get_byte(raw, 6) & 15 | (version << 4)),
                         8, get_byte(raw, 8) & 63 | 128), 'hex')::uuid
$$
"""

# A double as the other doors spell it: 30.0 and not 30.
SECONDS = """
CREATE FUNCTION warren.submit_seconds(seconds float8) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT seconds::text || CASE WHEN seconds::text ~ '[.e]' THEN '' ELSE '.0' END
$$
"""

# An instant as the other doors spell it: microseconds only where there are some.
INSTANT = """
CREATE FUNCTION warren.submit_instant(instant timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT replace(to_char(instant AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000Z', 'Z')
$$
"""

# The type `json` takes what a strict reader refuses; wire/strict_json.py has the same list.
FAULT = """
CREATE FUNCTION warren.submit_fault(payload json) RETURNS text
LANGUAGE sql STABLE AS $$
  WITH RECURSIVE node(value, kind, depth) AS (
    SELECT payload, json_typeof(payload), 1
    UNION ALL
    SELECT child.value, json_typeof(child.value), depth + 1 FROM node CROSS JOIN LATERAL (
        SELECT value FROM json_each(CASE kind WHEN 'object' THEN node.value ELSE '{}' END)
        UNION ALL
        SELECT value FROM json_array_elements(CASE kind WHEN 'array' THEN node.value ELSE '[]' END)
      ) child WHERE depth < 100
  )
  SELECT fault FROM node CROSS JOIN LATERAL (SELECT CASE
      WHEN depth = 100 AND kind IN ('object', 'array') THEN 'is nested deeper than 100 levels'
      WHEN kind = 'object' THEN (SELECT 'has the key ' || quote_literal(left(key, 80)) || ' twice'
                                   FROM json_object_keys(value) key GROUP BY key HAVING count(*) > 1 LIMIT 1)
      WHEN kind = 'number' AND value::text ~ '[.eE]'
        THEN (SELECT 'holds a number beyond the range of a double'
               WHERE abs(value::text::numeric) > 1.7976931348623157e308::numeric)
      WHEN kind = 'number' AND length(value::text) > 1000 THEN 'holds an integer of more than 1000 digits'
    END AS fault) found WHERE fault IS NOT NULL LIMIT 1
$$
"""

PAYLOAD = """
CREATE FUNCTION warren.submit_check_payload(payload json) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  what text;
BEGIN
  IF payload IS NULL OR json_typeof(payload) <> 'object' THEN
    PERFORM warren.submit_refuse('payload', 'must be a JSON object, got ' || coalesce(json_typeof(payload), 'NULL'),
                                 'put the value into one');
  END IF;
  BEGIN
    PERFORM payload::jsonb;
    what := warren.submit_fault(payload);
  EXCEPTION
    WHEN untranslatable_character THEN
      what := 'holds \\u0000, which Postgres cannot store';
    WHEN data_exception OR program_limit_exceeded THEN
      GET STACKED DIAGNOSTICS what = PG_EXCEPTION_DETAIL;
      what := 'is not JSON that every reader understands: ' || coalesce(nullif(what, ''), SQLERRM);
  END;
  IF what IS NOT NULL THEN
    PERFORM warren.submit_refuse('payload', what, 'send text, numbers and keys that every reader sees alike');
  END IF;
END $$
"""

# The options, by the rules of wire/fields.py.
OPTIONS = """
CREATE FUNCTION warren.submit_check_options(
  priority int, max_retries int, timeout_seconds float8, delay interval, tags text[], idempotency_key text
) RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF priority NOT BETWEEN 1 AND 10 THEN
    PERFORM warren.submit_refuse('priority', priority || ' is not a priority', 'use 1 (lowest) to 10 (highest)');
  ELSIF max_retries NOT BETWEEN 0 AND 1000 THEN
    PERFORM warren.submit_refuse('max_retries', max_retries || ' is not a number of retries', 'use 0 to 1000');
  ELSIF NOT (timeout_seconds > 0 AND timeout_seconds <= 604800) THEN
    PERFORM warren.submit_refuse('timeout_seconds', timeout_seconds || ' is not a time limit',
                                 'use seconds above 0 and up to 604800 (a week)');
  ELSIF extract(epoch FROM delay) NOT BETWEEN 0 AND 316224000 THEN
    PERFORM warren.submit_refuse('delay', delay || ' is not a delay', 'use 0 or more, and less than ten years');
  ELSIF cardinality(tags) > 32 OR array_ndims(tags) > 1
     OR EXISTS (SELECT FROM unnest(tags) tag WHERE tag IS NULL OR length(tag) NOT BETWEEN 1 AND 128) THEN
    PERFORM warren.submit_refuse('tags', 'must be at most 32 strings of 1 to 128 characters', 'shorten them');
  ELSIF length(idempotency_key) NOT BETWEEN 1 AND 256 THEN
    PERFORM warren.submit_refuse('idempotency_key', 'has ' || length(idempotency_key) || ' characters', 'use 1 to 256');
  END IF;
END $$
"""

# The times, as gateway/submitting/submit.py judges them: a minute's grace, because clocks differ.
TIMES = """
CREATE FUNCTION warren.submit_check_times(run_at timestamptz, starts_at timestamptz, expires_at timestamptz)
RETURNS void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT isfinite(run_at) OR run_at > clock_timestamp() + interval '3660 days' THEN
    PERFORM warren.submit_refuse('run_at', run_at || ' is more than ten years ahead', 'name an earlier time');
  ELSIF run_at < clock_timestamp() - interval '60 seconds' THEN
    PERFORM warren.submit_refuse('run_at', run_at || ' is past', 'leave it out to start at once');
  ELSIF NOT isfinite(expires_at) OR expires_at <= clock_timestamp() THEN
    PERFORM warren.submit_refuse('expires_at', expires_at || ' is past or has no end',
                                 'name a later time or leave it out');
  ELSIF expires_at <= starts_at THEN
    PERFORM warren.submit_refuse('expires_at', 'comes before the job may start', 'let it expire after run_at or delay');
  END IF;
END $$
"""

SUBMIT = """
CREATE FUNCTION warren.submit(
  type text, payload json DEFAULT '{}', priority int DEFAULT NULL, max_retries int DEFAULT NULL,
  timeout_seconds float8 DEFAULT NULL, run_at timestamptz DEFAULT NULL, delay interval DEFAULT NULL,
  expires_at timestamptz DEFAULT NULL, tags text[] DEFAULT NULL, idempotency_key text DEFAULT NULL,
  traceparent text DEFAULT NULL, id uuid DEFAULT NULL
) RETURNS uuid LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, warren, pg_temp AS $$
#variable_conflict use_column
DECLARE
  kind warren.job_types;
  known bytea;  -- the hash of the body under this id
  job uuid := submit.id;
  body bytea;
  hash bytea;
  wait CONSTANT float8 := extract(epoch FROM submit.delay);
  starts_at timestamptz;
BEGIN
  SELECT * INTO kind FROM job_types t WHERE t.name = submit.type;
  IF NOT FOUND THEN
    PERFORM submit_refuse('type', coalesce(quote_literal(left(submit.type, 80)), 'NULL') || ' is not a known job type',
      coalesce('known: ' || (SELECT string_agg(name, ', ')
                               FROM (SELECT name FROM job_types ORDER BY name LIMIT 20) AS few),
               'no worker has registered a type yet: start one'));
  END IF;
  PERFORM submit_check_payload(submit.payload);
  PERFORM submit_check_options(submit.priority, submit.max_retries, submit.timeout_seconds, submit.delay, submit.tags,
                               submit.idempotency_key);
  IF submit.run_at IS NOT NULL AND submit.delay IS NOT NULL THEN
    PERFORM submit_refuse('delay', 'and run_at both say when to start', 'send one of them');
  END IF;

  starts_at := coalesce(submit.run_at, clock_timestamp() + make_interval(secs => nullif(wait, 0)));
  IF submit.idempotency_key IS NOT NULL THEN
    job := submit_uuid(sha256(convert_to(E'local\\n' || submit.idempotency_key, 'UTF8')), 8);
    IF submit.id <> job THEN
      PERFORM submit_refuse('id', 'and the idempotency key both name the job', 'send one of them');
    END IF;
  ELSIF job IS NULL THEN
    job := submit_uuid(substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                       || uuid_send(gen_random_uuid()), 7);
  END IF;
  tags := (SELECT array_agg(tag ORDER BY place) FROM (
             SELECT tag, min(n) AS place FROM unnest(submit.tags) WITH ORDINALITY AS t(tag, n) GROUP BY tag) AS once);
  body := convert_to(concat(
    '{"id":"', job, '","type":"', submit.type,
    '","payload":', btrim(submit.payload::text, E' \\t\\r\\n'),
    ',"priority":' || submit.priority,
    ',"max_retries":' || submit.max_retries,
    ',"timeout_seconds":' || submit_seconds(submit.timeout_seconds),
    ',"run_at":"' || submit_instant(submit.run_at) || '"',
    ',"delay":' || submit_seconds(wait),
    ',"expires_at":"' || submit_instant(submit.expires_at) || '"',
    ',"tags":' || to_json(submit.tags)::text,
    '}'), 'UTF8');
  hash := substring(sha256(body) FOR 16);
  IF octet_length(body) > 262144 THEN
    PERFORM submit_refuse('payload', 'makes a job of ' || octet_length(body) || ' bytes; at most 262144 are taken',
                          'send a reference to the data instead');
  END IF;

  SELECT j.body_hash INTO known FROM jobs j WHERE j.id = job;
  IF NOT FOUND THEN
    PERFORM submit_check_times(submit.run_at, starts_at, submit.expires_at);
    INSERT INTO jobs AS j (id, type, queue, state, priority, body, body_hash, tags, max_retries, timeout_seconds,
                           scheduled_for, expires_at, traceparent)
    VALUES (job, kind.name, kind.queue, CASE WHEN starts_at > clock_timestamp() THEN 'scheduled' ELSE 'queued' END,
            coalesce(submit.priority, kind.priority), body, hash, submit.tags,
            coalesce(submit.max_retries, kind.max_retries), coalesce(submit.timeout_seconds, kind.timeout_seconds),
            starts_at, submit.expires_at,
            CASE WHEN submit.traceparent ~ '^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$'
                 THEN submit.traceparent
                 ELSE concat('00-', replace(gen_random_uuid()::text, '-', ''), '-',
                             right(replace(gen_random_uuid()::text, '-', ''), 16), '-01') END)
        ON CONFLICT (id) DO NOTHING;
    IF FOUND THEN
      -- after the insert: one that waited for a delete of its id goes ahead, and sees the tombstone only now
      IF EXISTS (SELECT FROM tombstones t WHERE t.id = job) THEN
        PERFORM submit_refuse('id', job || ' was used and deleted', 'use a fresh id');
      END IF;
      INSERT INTO outbox (job_id, run, due_at, publish_after) VALUES (job, 1, starts_at, clock_timestamp());
      IF coalesce(current_setting('warren.notify', true), '') <> 'off' THEN
        PERFORM pg_notify('warren_outbox', '');  -- Postgres sends one a transaction, at its commit
      END IF;
      RETURN job;
    END IF;
    SELECT j.body_hash INTO known FROM jobs j WHERE j.id = job;  -- somebody was quicker, by a moment
  END IF;
  IF known IS DISTINCT FROM hash THEN
    PERFORM submit_refuse(CASE WHEN submit.idempotency_key IS NULL THEN 'id' ELSE 'idempotency_key' END,
                          'belongs to another job (' || job || ')', 'send the same job again or use another one');
  END IF;
  RETURN job;
END $$
"""

FUNCTIONS = {
    "submit_refuse(text, text, text)": REFUSE,
    "submit_uuid(bytea, int)": STAMP,
    "submit_seconds(float8)": SECONDS,
    "submit_instant(timestamptz)": INSTANT,
    "submit_fault(json)": FAULT,
    "submit_check_payload(json)": PAYLOAD,
    "submit_check_options(int, int, float8, interval, text[], text)": OPTIONS,
    "submit_check_times(timestamptz, timestamptz, timestamptz)": TIMES,
    "submit(text, json, int, int, float8, timestamptz, interval, timestamptz, text[], text, text, uuid)": SUBMIT,
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    for signature, definition in FUNCTIONS.items():
        op.execute(definition)
        op.execute(f"REVOKE ALL ON FUNCTION warren.{signature} FROM PUBLIC")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    for signature in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION warren.{signature}")
