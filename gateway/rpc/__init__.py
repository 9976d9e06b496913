"""rpc: the gRPC door.  The same jobs, the same rules and the same refusals as over HTTP, in another tongue.

**The way of a call.**  `listen` opens the port when the gateway starts, and only then is gRPC loaded.  Each call passes
the `door` (its id, its span, its line in the log, whose key) to one of the few functions in `jobs`, which reads the
message by `requests`, asks what REST asks (`submitting`, `reading`, `ending`) and tells it by `messages`.  A refusal
becomes a status by `statuses`.  `health` is grpc.health.v1 and says what `/health/ready` says.  `proto/` has the
.proto and what is generated of it.

**What is refused.**  A message with a field that is not known here, one that is larger than a job may be, more calls
at once than `listen.MOST_CALLS`; nobody is ever shown a stack trace.

**A caller that goes** (its deadline, its hand) cancels nothing that was begun: a submission goes on to its end, as
over HTTP; only a wait for a job's end is given up.
"""
