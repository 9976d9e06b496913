"""The names of attributes, as the semantic conventions have them (messaging, HTTP, RPC, database, error; 1.4x).

A test holds those that are the conventions' against the library's own constants.  What they have no name for is
`warren.…`.
"""

from __future__ import annotations

from typing import Final

SYSTEM: Final = "messaging.system"
OPERATION: Final = "messaging.operation.name"
OPERATION_TYPE: Final = "messaging.operation.type"
DESTINATION: Final = "messaging.destination.name"
ROUTING_KEY: Final = "messaging.rabbitmq.destination.routing_key"
MESSAGE_ID: Final = "messaging.message.id"
BODY_SIZE: Final = "messaging.message.body.size"

METHOD: Final = "http.request.method"
ROUTE: Final = "http.route"
STATUS: Final = "http.response.status_code"
PATH: Final = "url.path"
SCHEME: Final = "url.scheme"
SERVER: Final = "server.address"
PORT: Final = "server.port"
CLIENT: Final = "client.address"
AGENT: Final = "user_agent.original"
FULL: Final = "url.full"
RESENT: Final = "http.request.resend_count"
ANSWER_SIZE: Final = "http.response.body.size"
PROTOCOL_VERSION: Final = "network.protocol.version"

RPC_SYSTEM: Final = "rpc.system.name"
RPC_METHOD: Final = "rpc.method"
RPC_STATUS: Final = "rpc.response.status_code"

DATABASE: Final = "db.system.name"
DATABASE_OPERATION: Final = "db.operation.name"
BATCH_SIZE: Final = "db.operation.batch.size"

ERROR: Final = "error.type"
EXCEPTION_TYPE: Final = "exception.type"
EXCEPTION_MESSAGE: Final = "exception.message"

JOB_ID: Final = "warren.job.id"
JOB_TYPE: Final = "warren.job.type"
QUEUE: Final = "warren.job.queue"
PRIORITY: Final = "warren.job.priority"
ATTEMPT: Final = "warren.job.attempt"
RUN: Final = "warren.job.run"
STATE: Final = "warren.job.state"
OUTCOME: Final = "warren.attempt.outcome"
REASON: Final = "warren.job.reason"
BECAUSE: Final = "warren.because"
WORKER: Final = "warren.worker"
BATCH: Final = "warren.batch.id"
SCHEDULE: Final = "warren.schedule.id"
DUE: Final = "warren.schedule.due_at"
KIND: Final = "warren.schedule.kind"
