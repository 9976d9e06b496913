"""The routes of counts, queues, workers and pauses, described."""

from __future__ import annotations

from typing import Any, Final

from gateway.answers.crew import QUEUES, WORKERS
from gateway.answers.job_types import JOB_TYPES
from gateway.answers.stats import STATS
from gateway.openapi.operation import TEXT, UUID, Operation, parameter

_QUEUE: Final = QUEUES + "/{name}"
_TYPE: Final = JOB_TYPES + "/{name}"
_WORKER: Final = WORKERS + "/{session}"
_QUEUE_NAME: Final = parameter("path", "name", TEXT, "The queue's name")
_TYPE_NAME: Final = parameter("path", "name", TEXT, "The type's name")
_SESSION: Final = parameter("path", "session", UUID, "The worker's session, from the list")
_READ: Final = ("malformed", "unavailable")
_CHANGE: Final = ("malformed", "not_found", "foreign_origin", "unavailable")
_PAUSE: Final = (*_CHANGE, "too_large", "unsupported_media", "slow_body")
_STATS_DETAIL: Final = """\
Exact at one moment, and read from sums: it costs the same with a million jobs as with ten. A job is counted as long as
its row is kept."""
_QUEUES_DETAIL: Final = """\
Queues that have jobs, workers or job types, or are paused. Depths and ages are those of the jobs' rows; consumers are
what the workers' heartbeats say."""
_PAUSE_QUEUE_DETAIL: Final = """\
Workers stop consuming it within moments, at the latest with their next heartbeat; what runs is finished, what waits
keeps its place. It holds until it is resumed, whatever is restarted. Jobs are accepted all the same."""
_PAUSE_TYPE_DETAIL: Final = """\
No job of the type starts after the answer; what runs is finished. A job that comes up meanwhile is held, uncounted, and
other types of the same queue go on. It holds until it is resumed; jobs are accepted all the same."""
_RESUME_DETAIL: Final = "One that was not paused stays as it is."
_DRAIN_DETAIL: Final = """\
It takes no more jobs, finishes what it runs within WARREN_DRAIN_SECONDS (what lasts longer is interrupted, uncounted,
and runs elsewhere) and ends; its supervisor starts another in its place."""
_OURS: Final[dict[str, Any]] = {"tag": "operating"}

CREW_OPERATIONS: Final = (
    Operation("stats", STATS, "How many there are of everything", "Stats", detail=_STATS_DETAIL, problems=_READ,
              **_OURS),
    Operation("listQueues", QUEUES, "All queues by name", "QueueList", detail=_QUEUES_DETAIL, problems=_READ, **_OURS),
    Operation("getQueue", _QUEUE, "One queue", "OpenedQueue", parameters=(_QUEUE_NAME,),
              problems=(*_READ, "not_found"), **_OURS),
    Operation("pauseQueue", _QUEUE + "/pause", "Pause a queue", "OpenedQueue", method="post", takes="pause",
              parameters=(_QUEUE_NAME,), detail=_PAUSE_QUEUE_DETAIL, problems=_PAUSE, **_OURS),
    Operation("resumeQueue", _QUEUE + "/resume", "Resume a queue", "OpenedQueue", method="post", takes="pause",
              parameters=(_QUEUE_NAME,), detail=_RESUME_DETAIL, problems=_PAUSE, **_OURS),
    Operation("pauseJobType", _TYPE + "/pause", "Pause a job type", "JobType", method="post", takes="pause",
              parameters=(_TYPE_NAME,), detail=_PAUSE_TYPE_DETAIL, problems=_PAUSE, **_OURS),
    Operation("resumeJobType", _TYPE + "/resume", "Resume a job type", "JobType", method="post", takes="pause",
              parameters=(_TYPE_NAME,), detail=_RESUME_DETAIL, problems=_PAUSE, **_OURS),
    Operation("listWorkers", WORKERS, "All workers that have not ended, by name", "WorkerList", problems=_READ,
              **_OURS),
    Operation("getWorker", _WORKER, "One worker; one that ended is known for a day", "Worker", parameters=(_SESSION,),
              problems=(*_READ, "not_found"), **_OURS),
    Operation("drainWorker", _WORKER + "/drain", "Let a worker finish and end", "Worker", method="post", status=202,
              parameters=(_SESSION,), detail=_DRAIN_DETAIL, problems=(*_CHANGE, "wrong_state"), **_OURS),
)  # fmt: skip
