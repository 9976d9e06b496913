"""What the gateway answers, as structs: the JSON that is sent and the schemas that /openapi.json shows are both these.

A file a thing that is asked about; each has its path, its structs, and the functions that make them of what
`persistence` found.  Knows no HTTP: `rest/respond.py` makes the response.
"""

from __future__ import annotations

import msgspec

from gateway.answers import (
    artifacts,
    batches,
    bulk,
    crawls,
    crew,
    job_types,
    jobs,
    letters,
    logs,
    schedules,
    stats,
    timeline,
    why,
)

__all__ = [
    "artifacts", "batches", "bulk", "crawls", "crew", "encode", "job_types", "jobs", "letters", "logs", "schedules",
    "stats", "timeline", "why",
]  # fmt: skip

encode = msgspec.json.Encoder().encode
