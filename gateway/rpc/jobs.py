"""JobSchedulerService: submit, get, list and cancel, each as REST does it."""

from __future__ import annotations

from typing import Final

from gateway import answers
from gateway.ending.cancelling import Cancelling
from gateway.reading.jobs import Standing
from gateway.rpc import messages, requests
from gateway.rpc.door import Call, Method
from gateway.rpc.proto import job_scheduler_pb2 as proto
from gateway.submitting.acceptance import accepted_of
from gateway.submitting.submit import Submitter
from persistence.accepting.accept import Acceptor

SERVICE: Final = str(proto.DESCRIPTOR.services_by_name["JobSchedulerService"].full_name)


class Jobs:
    """The methods of the service."""

    def __init__(
        self,
        submitter: Submitter,
        acceptor: Acceptor,
        standing: Standing,
        cancelling: Cancelling,
        trace_url: str = "",
    ) -> None:
        self._submitter, self._acceptor, self._standing = submitter, acceptor, standing
        self._cancelling, self._trace_url = cancelling, trace_url

    def methods(
        self,
    ) -> list[
        Method[proto.SubmitJobRequest]
        | Method[proto.GetJobRequest]
        | Method[proto.ListJobsRequest]
        | Method[proto.CancelJobRequest]
    ]:
        return [
            Method("SubmitJob", proto.SubmitJobRequest, self.submit),
            Method("GetJob", proto.GetJobRequest, self.get),
            Method("ListJobs", proto.ListJobsRequest, self.page),
            Method("CancelJob", proto.CancelJobRequest, self.cancel),
        ]

    async def submit(self, asked: proto.SubmitJobRequest, call: Call) -> proto.SubmitJobResponse:
        body = requests.body_of(asked)
        submission = await self._submitter.prepare(
            body, scope=call.caller, key=None, trace=call.trace, max_bytes=len(body)
        )
        accepted = await accepted_of(self._acceptor, submission)
        return messages.receipt(answers.jobs.receipt(submission, accepted, self._trace_url))

    async def get(self, asked: proto.GetJobRequest, call: Call) -> proto.Job:
        job_id, seconds = requests.job_id(asked), requests.wait_seconds(asked)
        return messages.job(await self._standing.once_ended(job_id, seconds, lambda: call.gone))

    async def page(self, asked: proto.ListJobsRequest, _: Call) -> proto.ListJobsResponse:
        return messages.page(await self._standing.page(requests.filter_of(asked)))

    async def cancel(self, asked: proto.CancelJobRequest, _: Call) -> proto.Job:
        job_id = requests.job_id(asked)
        await self._cancelling.cancel(job_id)
        return messages.job(await self._standing.one(job_id))
