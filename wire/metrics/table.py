"""Every metric there is; docs/metrics.md is written from this file, and the dashboards name nothing else.

`jobs_submitted_total`, `jobs_completed_total`, `job_execution_seconds`, `queue_size` and `active_workers` are called
what other job systems call them; all others begin with `warren_`, but for those of the process, whose names are
Prometheus' own.  What is the same for the whole cluster comes from one scheduler, see scheduler/figures.py.

Labels are types, queues, routes and words of ours, so that the number of series has a bound: never an id, a worker's
name or what an error said.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Final

from wire.metrics.kinds import ALL, GATEWAY, SCHEDULER, WORKER, Counter, Gauge, Histogram, Metric

_RUNS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
_WAITS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0)
_CALLS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FETCHES: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_SIZES: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
_LAGS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)

# --- jobs, where it happens
JOBS_SUBMITTED = Counter(
    "jobs_submitted_total",
    "Jobs that got their row: over HTTP (gateway), AMQP (recorder), from a job (worker), by clock or SQL (scheduler)",
    ("type",),
    roles=ALL,
)
JOBS_COMPLETED = Counter(
    "jobs_completed_total",
    "Jobs that came to their end, wherever that was, by the state they ended in",
    ("type", "status"),
    roles=(SCHEDULER,),
)
EXECUTION = Histogram(
    "job_execution_seconds",
    "From the start of an attempt to its end, however it ended",
    ("type",),
    roles=(WORKER,),
    bounds=_RUNS,
)
WAIT = Histogram(
    "warren_job_wait_seconds",
    "From when a job was due (its submission, its time or its retry) to the start of the attempt",
    ("queue",),
    roles=(WORKER,),
    bounds=_WAITS,
)
ATTEMPTS = Counter("warren_attempts_total", "Attempts by how they ended", ("type", "outcome"), roles=(WORKER,))
FAILURES = Counter(
    "warren_failures_total", "Attempts that failed their job, by why", ("type", "reason"), roles=(SCHEDULER, WORKER)
)
RETRIES = Counter(
    "warren_retries_total", "Attempts after which another was planned because of an error", ("type",), roles=(WORKER,)
)
CRASH_STARTS = Counter(
    "warren_crash_starts_total", "Starts of jobs during which a worker has died before", ("type",), roles=(WORKER,)
)
DELIVERIES = Counter("warren_deliveries_total", "Deliveries by what the claim answered", ("answer",), roles=(WORKER,))
DUPLICATES = Counter(
    "warren_duplicates_total",
    "Deliveries that were dropped, because their job was done, gone or on a later run",
    roles=(WORKER,),
)

# --- the work of the processes
BATCH_SIZE = Histogram(
    "warren_batch_size",
    "How many one statement, one publish or one ack was for",
    ("step",),
    roles=ALL,
    bounds=_SIZES,
)
BATCH_SECONDS = Histogram(
    "warren_batch_seconds", "How long a batch took, with its waits for the store", ("step",), roles=ALL, bounds=_CALLS
)
SLOTS = Gauge("warren_worker_slots", "Jobs that these processes may run at once", roles=(WORKER,))
SLOTS_FREE = Gauge("warren_worker_slots_free", "Of these, how many are free", roles=(WORKER,))
RUNNING = Gauge("warren_worker_jobs_running", "Attempts under way", roles=(WORKER,))
BUFFERED = Gauge("warren_worker_jobs_buffered", "Deliveries that are held and not claimed yet", roles=(WORKER,))
PREFETCH = Gauge("warren_worker_prefetch", "Deliveries that these processes ask for at once", roles=(WORKER,))
CONSUMING = Gauge(
    "warren_worker_processes_consuming",
    "Worker processes whose subscriptions the broker has confirmed",
    roles=(WORKER,),
)
PROCESSES = Gauge("warren_worker_processes", "Worker processes that live", roles=(WORKER,))
DEATHS = Counter("warren_worker_deaths_total", "Worker processes that ended otherwise than asked to", roles=(WORKER,))
LETTERS_KEPT = Counter(
    "warren_dead_letters_total", "Messages that were kept as dead letters, by why", ("reason",), roles=(SCHEDULER,)
)
ROUNDS = Histogram(
    "warren_round_seconds", "How long a round of a loop took", ("loop",), roles=(SCHEDULER,), bounds=_CALLS
)
ROUNDS_FAILED = Counter("warren_rounds_failed_total", "Rounds that failed, by loop", ("loop",), roles=(SCHEDULER,))

# --- the clock
SCHEDULE_LAG = Histogram(
    "warren_schedule_lag_seconds",
    "From when a run was to happen (its due time, spread and jitter) to RabbitMQ's confirm of its job; not of those "
    "that are caught up",
    roles=(SCHEDULER,),
    bounds=_LAGS,
)
SCHEDULE_RUNS = Counter(
    "warren_schedule_runs_total",
    "Due times by what became of them (fired, skipped, buffered, missed), and by why they had their turn (due, "
    "caught_up, backfill; buffered: they had waited for the run before)",
    ("kind", "fate"),
    roles=(SCHEDULER,),
)
SEGMENTS = Gauge(
    "warren_clock_segments", "Segments of the schedules that these clocks hold: 128 in all", roles=(SCHEDULER,)
)
CLOCK_TURN_AGE = Gauge(
    "warren_clock_turn_age_seconds",
    "How long ago the loop that makes the runs ended a turn: it has two a second, whatever is due",
    roles=(SCHEDULER,),
)
CLOCK_AHEAD = Gauge("warren_clock_loaded", "Schedules that are loaded because they are due soon", roles=(SCHEDULER,))

# --- what jobs ask the web for
OUTBOUND = Counter(
    "warren_outbound_requests_total",
    "Requests that jobs made, each redirect one, by the class of the answer (2xx) or by why there was none",
    ("answer",),
    roles=(WORKER,),
)
OUTBOUND_SECONDS = Histogram(
    "warren_outbound_request_seconds", "From a request to the end of its answer", roles=(WORKER,), bounds=_FETCHES
)
OUTBOUND_BYTES = Counter("warren_outbound_bytes_total", "Bytes of bodies that came, as packed", roles=(WORKER,))

# --- child processes of workers, for jobs that run apart
CHILDREN = Gauge("warren_children", "Child processes of workers, busy and free", ("use",), roles=(WORKER,))
CHILDREN_MEMORY = Gauge(
    "warren_children_memory_bytes",
    "Memory that child processes hold for themselves, with the programs that jobs have started there",
    roles=(WORKER,),
)
WAITING_FOR_CHILD = Gauge(
    "warren_worker_jobs_waiting_for_child",
    "Deliveries that are held until a child process is free; WARREN_CHILDREN says how many there are",
    roles=(WORKER,),
)
CHILDREN_STARTED = Counter("warren_children_started_total", "Child processes that were started", roles=(WORKER,))
CHILDREN_ENDED = Counter(
    "warren_children_ended_total",
    "Child processes by why they ended: recycled after their jobs, idle; killed for the memory they took, at their "
    "job's timeout, or because it did not stop when it was asked (deaf); crashed",
    ("why",),
    roles=(WORKER,),
)
CHILDREN_ENDED.begin(("recycled",), ("idle",), ("memory",), ("timeout",), ("deaf",), ("crashed",))

# --- mail that jobs send
MAILS = Counter(
    "warren_mails_total",
    "Mails that jobs sent, by what became of them: taken by the server, written into the outbox folder, refused for "
    "good, not_now, away (no server), in_doubt, stopped, broken",
    ("outcome",),
    roles=(WORKER,),
)
MAILS.begin(*[(word,) for word in ("taken", "refused", "not_now", "away", "in_doubt", "broken")])
MAIL_SECONDS = Histogram(
    "warren_mail_seconds", "From a mail's turn until it was taken or not", roles=(WORKER,), bounds=_FETCHES
)

# --- hosts that jobs visit
HOST_TURNS = Counter(
    "warren_host_turns_total",
    "Asked for a turn at a host, by the answer: given (now), promised (for a time), in_line (behind others)",
    ("answer",),
    roles=(WORKER,),
)
HOST_SLOWDOWNS = Counter(
    "warren_host_slowdowns_total",
    "Times that a host is asked less often from then on, by why: refused (429, 503), slow",
    ("because",),
    roles=(WORKER,),
)
ROBOTS = Counter(
    "warren_robots_total",
    "Reads of a robots.txt, by what came of it: read, none (all is allowed), unreadable (nothing is)",
    ("answer",),
    roles=(WORKER,),
)

# --- HTTP
REQUESTS = Counter(
    "warren_http_requests_total",
    "Requests by method, route (its pattern) and status",
    ("method", "route", "status"),
    roles=(GATEWAY,),
)
REQUEST_SECONDS = Histogram(
    "warren_http_request_seconds", "Time to the answer, by route", ("route",), roles=(GATEWAY,), bounds=_CALLS
)

CALLS = Counter("warren_grpc_calls_total", "gRPC calls by method and status", ("method", "code"), roles=(GATEWAY,))
CALL_SECONDS = Histogram(
    "warren_grpc_call_seconds", "Time to the answer of a gRPC call, by method", ("method",), roles=(GATEWAY,),
    bounds=_CALLS,
)  # fmt: skip

# --- the cluster, told by one scheduler
LEADS = Gauge("warren_cluster_reporter", "1 at the scheduler that tells the figures of the cluster", roles=(SCHEDULER,))
QUEUE_SIZE = Gauge(
    "queue_size", "Jobs that are queued and wait for a worker; those that wait for a time are in warren_jobs",
    ("queue", "priority"), roles=(SCHEDULER,),
)  # fmt: skip
QUEUE_OLDEST = Gauge(
    "warren_queue_oldest_seconds", "For how long the job that has waited longest has been due",
    ("queue", "priority"), roles=(SCHEDULER,),
)  # fmt: skip
QUEUE_PAUSED = Gauge("warren_queue_paused", "1 where a queue is paused", ("queue",), roles=(SCHEDULER,))
QUEUE_CONSUMERS = Gauge(
    "warren_queue_consumers", "Worker processes that consume a queue", ("queue",), roles=(SCHEDULER,)
)
JOBS = Gauge("warren_jobs", "Rows of jobs, by type and state", ("type", "state"), roles=(SCHEDULER,))
ACTIVE_WORKERS = Gauge("active_workers", "Worker processes that live, by their heartbeats", roles=(SCHEDULER,))
WORKERS_CONSUMING = Gauge("warren_workers_consuming", "Of these, how many consume", roles=(SCHEDULER,))
CLUSTER_SLOTS = Gauge("warren_slots", "Jobs that all workers may run at once", roles=(SCHEDULER,))
CLUSTER_SLOTS_FREE = Gauge("warren_slots_free", "Of these, how many are free", roles=(SCHEDULER,))
LETTERS = Gauge(
    "warren_dead_letters_open", "Dead letters that nobody has redriven, by why they were kept", ("reason",),
    roles=(SCHEDULER,),
)  # fmt: skip
OUTBOX_ROWS = Gauge("warren_outbox_rows", "Messages that RabbitMQ has not confirmed yet", roles=(SCHEDULER,))
OUTBOX_OLDEST = Gauge(
    "warren_outbox_oldest_seconds", "For how long the oldest of them should have been published", roles=(SCHEDULER,)
)
BROKER_READY = Gauge(
    "warren_broker_messages_ready", "Messages that wait in RabbitMQ: work queues, births, dead, unrouted",
    ("queue",), roles=(SCHEDULER,),
)  # fmt: skip
LADDER = Gauge("warren_ladder_messages", "Messages on a level of the delay ladder", ("level",), roles=(SCHEDULER,))
DELAYED = Gauge("warren_delayed_messages", "Messages on all levels of the delay ladder", roles=(SCHEDULER,))
SCHEDULES = Gauge(
    "warren_schedules", "Schedules by where they stand, each counted up to a hundred thousand", ("state",),
    roles=(SCHEDULER,),
)  # fmt: skip
SCHEDULES_BEHIND = Gauge(
    "warren_schedules_behind_seconds", "For how long the schedule that waits longest should have had its turn",
    roles=(SCHEDULER,),
)  # fmt: skip
DATABASE_SESSIONS = Gauge(
    "warren_database_sessions", "Sessions that Postgres has, of all its clients, by what they do", ("state",),
    roles=(SCHEDULER,),
)  # fmt: skip
DATABASE_SESSIONS_MOST = Gauge("warren_database_sessions_limit", "Sessions that Postgres allows", roles=(SCHEDULER,))
DATABASE_BYTES = Gauge("warren_database_bytes", "Size of the database", roles=(SCHEDULER,))

# --- every process
INFO = Gauge("warren_build_info", "1, with the version", ("version",), roles=ALL, merge="max")
POOL = Gauge("warren_database_pool_connections", "Connections of this process's pool to Postgres", ("use",), roles=ALL)
DATABASE_SECONDS = Histogram(
    "warren_database_call_seconds", "Calls to Postgres, with the wait for a connection", roles=ALL, bounds=_CALLS
)
DATABASE_FAILURES = Counter("warren_database_away_total", "Calls for which Postgres was away", roles=ALL)
BROKER_CONNECTED = Gauge(
    "warren_broker_connected", "Connections to RabbitMQ that stand and can be published on", roles=ALL
)
BROKER_CONNECTS = Counter("warren_broker_connects_total", "Times that a connection to RabbitMQ was made", roles=ALL)
BROKER_BLOCKED = Gauge("warren_broker_blocked", "Connections on which RabbitMQ takes nothing: an alarm", roles=ALL)
BROKER_BLOCKED_SECONDS = Counter(
    "warren_broker_blocked_seconds_total", "How long RabbitMQ has taken nothing", roles=ALL
)
LOOP_LAG = Histogram(
    "warren_loop_lag_seconds", "How much later than asked the event loop woke up", roles=ALL, bounds=_LAGS
)
CPU = Counter("process_cpu_seconds_total", "Processor time, of user and system", roles=ALL)
MEMORY = Gauge("process_resident_memory_bytes", "Memory that is resident", roles=ALL)
FILES = Gauge("process_open_fds", "Open files and sockets", roles=ALL)
STARTED = Gauge("process_start_time_seconds", "When it was started, since 1970", roles=ALL, merge="max")
HOST_CPU = Counter(
    "warren_host_cpu_seconds_total", "Processor time of the host, by what it was for", ("mode",), roles=ALL
)
HOST_MEMORY = Gauge("warren_host_memory_bytes", "Memory of the host", ("kind",), roles=ALL, merge="max")
HOST_LOAD = Gauge("warren_host_load1", "Processes that run or wait to, over a minute", roles=ALL, merge="max")

TABLE: Final[tuple[Metric, ...]] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))


@contextlib.contextmanager
def batch(step: str, size: int) -> Iterator[None]:
    """Around what is done for so many at once."""
    began = time.perf_counter()
    yield
    note_batch(step, size, time.perf_counter() - began)


def note_batch(step: str, size: int, seconds: float) -> None:
    """So many were done at once, and took so long."""
    BATCH_SECONDS.observe(seconds, step)
    BATCH_SIZE.observe(size, step)
