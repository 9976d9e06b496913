"""Submit a job over gRPC and wait for its end: `WARREN_GRPC_TARGET=… python python_grpc.py "hello"`."""

import json
import os
import sys

import grpc
from job_scheduler_pb2 import GetJobRequest, SubmitJobRequest
from job_scheduler_pb2_grpc import JobSchedulerServiceStub

target = os.environ.get("WARREN_GRPC_TARGET", "127.0.0.1:50051")
key = os.environ.get("WARREN_API_KEY", "")
metadata = [("authorization", f"Bearer {key}")] if key else []

with grpc.insecure_channel(target) as channel:
    warren = JobSchedulerServiceStub(channel)
    job = SubmitJobRequest(
        job_type="echo",
        payload=json.dumps({"message": sys.argv[1]}),
        priority=8,
        max_retries=3,
        timeout_seconds=60,
        idempotency_key=f"greeting {sys.argv[1]}",  # sent again, it is the same job
    )
    try:
        submitted = warren.SubmitJob(job, metadata=metadata, timeout=10, wait_for_ready=True)
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
    wait = GetJobRequest(job_id=submitted.job_id, wait_seconds=30)
    ended = warren.GetJob(wait, metadata=metadata, timeout=40)  # longer than it waits
    print(ended.state, ended.result)
