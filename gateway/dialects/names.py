"""All words of the dialects, and where else a route of ours is found.  Says nothing of how they are put into ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiohttp import hdrs

from gateway.answers.crawls import CRAWLS
from gateway.answers.jobs import JOBS
from gateway.answers.schedules import SCHEDULES

PREFIX: Final = "/api/v1"
ONE_JOB: Final = JOBS + "/{id}"
ONE_SCHEDULE: Final = SCHEDULES + "/{id}"
ONE_CRAWL: Final = CRAWLS + "/{id}"
ALSO_WITHOUT_PREFIX: Final = (JOBS, f"{PREFIX}/stats")
ATTEMPTS, EXECUTIONS, SUBMIT = "/attempts", "/executions", "/submit"
SCHEDULED_JOBS: Final = f"{PREFIX}/scheduled-jobs"

JOB_FIELDS: Final = {"job_type": "type", "job_data": "payload", "timeout": "timeout_seconds"}
SCHEDULE_FIELDS: Final = {
    "type": "job_type", "job_data": "payload", "timeout": "timeout_seconds", "cron": "cron_expression",
}  # fmt: skip
FREQUENCY, NEXT_RUN_TIME = "frequency", "next_run_time"
ASKS_FOR_A_SCHEDULE: Final = ("cron_expression", "interval_seconds", FREQUENCY, NEXT_RUN_TIME)
ASKS_FOR_A_CRAWL: Final = ("articles",)

PARAMETERS: Final = {"status": "state", "status_filter": "state", "job_type": "type"}
PAGES: Final = ("page", "per_page")

BESIDE: Final = {"id": "job_id", "state": "status", "outcome": "status"}
LISTS: Final = {
    JOBS: "jobs",
    ONE_JOB + ATTEMPTS: "executions",
    SCHEDULES: "scheduled_jobs",
    ONE_SCHEDULE + "/runs": "executions",
}

_OF_A_SCHEDULE: Final = {  # what is asked of a schedule under the route of a job, which ours has not
    (hdrs.METH_PATCH, ONE_SCHEDULE): (hdrs.METH_PUT, ONE_JOB),
    (hdrs.METH_POST, ONE_SCHEDULE + "/pause"): (hdrs.METH_POST, ONE_JOB + "/pause"),
    (hdrs.METH_POST, ONE_SCHEDULE + "/resume"): (hdrs.METH_POST, ONE_JOB + "/resume"),
}
EITHER: Final = {  # what is asked of a job, and where there is no such job of a schedule or a crawl
    (hdrs.METH_GET, ONE_JOB): (ONE_SCHEDULE,),
    (hdrs.METH_DELETE, ONE_JOB): (ONE_SCHEDULE, ONE_CRAWL),
    (hdrs.METH_GET, ONE_JOB + ATTEMPTS): (ONE_SCHEDULE + "/runs",),
}


def elsewhere(method: str, path: str) -> list[tuple[str, str]]:
    """Under which other methods and paths a route of ours is found."""
    found = [(method, other) for other in _paths(method, path)]
    if (method, path) in _OF_A_SCHEDULE:
        theirs, job = _OF_A_SCHEDULE[method, path]
        found += [(theirs, job), (theirs, job.removeprefix(PREFIX))]
    return found


def _paths(method: str, path: str) -> Iterator[str]:
    if path.startswith(SCHEDULES):
        alias = path.replace(SCHEDULES, SCHEDULED_JOBS)
        yield from (alias, alias.removeprefix(PREFIX))
    if path.startswith(ONE_CRAWL + "/"):
        alias = path.replace(ONE_CRAWL, ONE_JOB)
        yield from (alias, alias.removeprefix(PREFIX))
    if path.startswith(ALSO_WITHOUT_PREFIX):
        yield path.removeprefix(PREFIX)
    if path == JOBS and method == hdrs.METH_POST:
        yield from (JOBS + SUBMIT, JOBS.removeprefix(PREFIX) + SUBMIT)
    if path.endswith(ATTEMPTS):
        yield from (one.removesuffix(ATTEMPTS) + EXECUTIONS for one in (path.removeprefix(PREFIX), path))
