"""The routes of artifacts, described, with an example.

A test holds the example and the struct together.
"""

from __future__ import annotations

from typing import Any, Final

from gateway.answers.artifacts import ARTIFACTS
from gateway.answers.jobs import JOBS
from gateway.openapi.operation import CURSOR, LIMIT, UUID, Json, Operation, parameter

_ID: Final = "019aa5d2-6f00-7c4e-9d3a-2b1f0c8e7a61"
_JOB: Final = "019aa5d2-6c10-7b51-8a44-51c3f0a1de02"
_LIST: Final[dict[str, Any]] = {
    "items": [
        {
            "id": _ID, "job_id": _JOB, "attempt": 1, "kind": "saved", "name": "page.html",
            "content_type": "text/html; charset=utf-8", "size_bytes": 48113,
            "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
            "created_at": "2026-11-21T12:03:00.120Z", "links": {"self": f"{ARTIFACTS}/{_ID}", "job": f"{JOBS}/{_JOB}"},
        },
    ],
    "next_cursor": None,
}  # fmt: skip
_LIST_DETAIL: Final = """\
What the job has saved with `save_artifact`, oldest first, and its result if that was too large for the job's row. One
is listed when its bytes are safe; what is saved again under a name takes the place of what was there. Artifacts go
with their job."""
_BYTES_DETAIL: Final = """\
The bytes with the type that they were saved with; one range is answered with 206, `If-None-Match` with 304.
What a browser could run is sent as a file to save, all else in a sandbox."""
_RESULT_DETAIL: Final = """\
What the job has returned, whatever its size: up to 64 KiB it stands in the job as well, a larger one only here. 409
while the job has not completed."""
_DOWNLOAD: Final = parameter(
    "query", "download", {"type": "boolean", "default": False}, "Have a browser save it, whatever its type"
)
_RANGE: Final = parameter("header", "Range", {"type": "string"}, "A part of it: `bytes=0-1023`, `bytes=-500`")
_KNOWN: Final = parameter("header", "If-None-Match", {"type": "string"}, "The `ETag` of what you have")
_ARTIFACT_ID: Final = parameter("path", "id", UUID, "The artifact's id")


def artifact_operations(job_id: Json) -> tuple[Operation, ...]:
    """The operations, with the parameter that all routes of one job have."""
    return (
        Operation("artifactsOfJob", JOBS + "/{id}/artifacts", "What a job has left behind", "ArtifactList",
                  tag="artifacts", parameters=(job_id, LIMIT, CURSOR), detail=_LIST_DETAIL,
                  problems=("malformed", "not_found", "unavailable"), examples={"page": {"value": _LIST}}),
        Operation("resultOfJob", JOBS + "/{id}/result", "A job's result, whatever its size", "application/json",
                  also=((206, "application/json"), (304, "")), tag="artifacts", parameters=(job_id, _RANGE, _KNOWN),
                  detail=_RESULT_DETAIL,
                  problems=("malformed", "not_found", "wrong_state", "bad_range", "unavailable")),
        Operation("getArtifact", ARTIFACTS + "/{id}", "An artifact's bytes", "*/*",
                  also=((206, "*/*"), (304, "")), tag="artifacts",
                  parameters=(_ARTIFACT_ID, _DOWNLOAD, _RANGE, _KNOWN), detail=_BYTES_DETAIL,
                  problems=("malformed", "not_found", "bad_range", "unavailable")),
        Operation("deleteArtifact", ARTIFACTS + "/{id}", "Delete an artifact", "", method="delete", status=204,
                  tag="artifacts", parameters=(_ARTIFACT_ID,),
                  problems=("malformed", "not_found", "wrong_state", "foreign_origin", "unavailable")),
    )  # fmt: skip
