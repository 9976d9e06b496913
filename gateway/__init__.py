"""gateway: jobs in over HTTP, and what became of them out.

**Promise.**  202 means durable: the job is committed in Postgres and readable at once, or confirmed by RabbitMQ while
Postgres is away.  With both away the answer is 503, `Retry-After` and the id to try again with.  Every refusal is a
problem+json that names the field and the remedy, carries the request's id, and has stored nothing.

**Doors.**  `app` puts the room together.  A request passes `door` (its id, its log line, errors to problems) and
`access` (which host, which origin, which key), then a file in `rest/`: parse, call, answer.  `submit` makes bytes a
submission for every door of this room; `redrive` judges dead letters, and `redriver` works off whole filters of them;
`hints` tells workers of a cancel behind the answer; `waiting` is the one watcher for all who wait for a job; `openapi`
describes the whole from the structs in `answers`; `docs` shows it to people without asking any other origin.  `client`
is the other end of the wire, for Python programs; it loads nothing else of this room.

**Thin on purpose.**  It validates with what workers registered, accepts and reads; it never imports an actor, holds no
SQL, and keeps nothing that a restart could lose.

**Failure modes.**  Postgres or RabbitMQ away at boot: it starts, is live, is not ready, and keeps trying.  Without ever
having seen Postgres it knows no job types and answers 503.  A client that hangs up cancels nothing that was begun.
"""
