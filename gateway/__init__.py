"""gateway: jobs in over HTTP and gRPC, and what became of them out.

**Promise.**  202 means durable: the job is committed in Postgres and readable at once, or confirmed by RabbitMQ while
Postgres is away.  With both away the answer is 503, `Retry-After` and the id to try again with.  Every refusal is a
problem+json that names the field and the remedy, carries the request's id, and has stored nothing.

**The way of a request.**  `app` puts the room together.  A request passes the `entrance` (its id, its log line, which
host, which origin, which key, errors to problems), then a file in `rest/`: parse, call, answer.  `submitting` makes
bytes a submission for every door of this room: one, thousands that are judged each for itself, or a batch that stands
or falls as one.  `telling` says why a job stands where it stands, and watches for all who wait.  `redriving` judges
dead letters and works off whole filters of them; `pausing` lets queues and types stand still and tells the workers;
`schedules` makes and changes what the clock fires, and shows when that will be; `crawls` takes articles by the
thousand, `artifacts` sends the bytes that jobs have left behind.  `health` says how the gateway itself stands.
`openapi/` describes the whole from the structs in `answers/` and shows it to people without asking any other origin.
`dashboard` is the page for people: files alone, which ask this API as everybody else does.
`rpc` is the gRPC door: its own way in, and behind that the same code.  `reading` and `ending` are what both doors ask.
`dialects` translates the words of other job systems.  `client` is the other end of the wire, for Python programs; it
loads nothing else of this room.

**Thin on purpose.**  It validates with what workers registered, accepts and reads; it never imports an actor, holds no
SQL, and keeps nothing that a restart could lose.

**Failure modes.**  Postgres or RabbitMQ away at boot: it starts, is live, is not ready, and keeps trying.  Without ever
having seen Postgres it knows no job types and answers 503.  A client that hangs up cancels nothing that was begun.
"""
