"""actors: the engine (Dramatiq on our topology) and the job types.

**Promise.**  A delivery is acked only after the outcome of that attempt is committed; a start holds a numbered lease
and only the current one may write; a retry never lives in a worker.

**The way of a job.**  deliveries/: `consume` takes it from its queue (`connection` reads the frames). lane/: it is
`waiting` in a `buffer`, `admit` claims a batch of what has a free slot, `window` says how much is held, `rest` when
nobody need look, and `lane` holds these together on one asyncio loop. attempts/: `begin` makes an attempt of each,
`attempt` runs it with Dramatiq's `signals` around it, `verdict` decides what its end means, `settle` records a batch
and acks it; `craft` is what is known of a type. isolation/ runs in a child process what should not share one.
declared/ has what types there are, described/ prints them, process/ starts, watches and keeps the processes.

**The way of a job type.**  catalogue/ has those that are shipped, a file each; they are made of what trades/ know of
mail, films, tables, reports, backups and the web.  The engine knows neither.

**What a job's author sees.**  `job` declares one, `context` is what it may ask while it runs, `ends` how it says what
became of it; `submit` and `sent` are its children, `saving` and `scratch` its files; `inline` runs it in a test.
`sender` is for processes that only send.  `configured` has the settings that job types go by, `lines` what they log.

**Dramatiq's part.**  Its actors, `.send`, messages, middleware signals and command line are kept (`broker`,
`codec`).  How deliveries are consumed and settled is ours: Dramatiq's own worker thread stays idle, its queues stay
undeclared.

**Failure modes.**  Postgres away: nothing is acked, the window fills, the worker waits.  RabbitMQ away: running jobs
finish and are recorded, their redeliveries are answered from the row.  A process that dies loses no job: its leases
end with its row in `workers`, and the messages come again.
"""
