"""actors: the engine (Dramatiq on our topology) and the job types.

**Promise.**  A delivery is acked only after the outcome of that attempt is committed; a start holds a numbered lease
and only the current one may write; a retry never lives in a worker.

**The way of a job.**  `consume` takes it from its queue into the `buffer`; `admit` claims a batch of what has a free
slot; `attempt` runs one; `verdict` decides what its end means; `settle` records a batch and acks it.  `lane` holds
these together on one asyncio loop, `heartbeat` says that they live, `supervise` keeps the processes.

**Dramatiq's part.**  Its actors, `.send`, messages, middleware signals and command line are kept.  How deliveries are
consumed and settled is ours: Dramatiq's own worker thread stays idle, its queues stay undeclared.

**Failure modes.**  Postgres away: nothing is acked, the window fills, the worker waits.  RabbitMQ away: running jobs
finish and are recorded, their redeliveries are answered from the row.  A process that dies loses no job: its leases
end with its row in `workers`, and the messages come again.
"""
