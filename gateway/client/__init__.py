"""gateway.client: the other end of the HTTP door, for Python programs that submit jobs and ask what became of them.

**Promise.**  `submit` returns when the job is safe.  What fails on the way is sent again under the same id until the
client's patience is at an end, so that an answer that was lost never makes a second job.  A refusal is an exception
with the field and the remedy; nothing else is decided here.

**Doors.**  `calls` is what a program uses, in asyncio; `blocking` is the same for programs without a loop; `many` puts
many jobs into few requests, `batches` makes them one thing, and `schedules` has them made by the clock; `logs` follows
what they say; `amqp` is the way around the gateway.  The `…_page` files are what `warren why`, `warren logs` and
`warren schedules` say, and `terminal` prints it.  A job that has to be submitted inside of a database transaction goes
through persistence/accepting/transactional.py instead.

`crawls`, `artifacts`, `logs` and `job_types` are what else a client asks for.  Behind all of them is `link`, one
request with its patience; `replies` (and `…_replies`) are the answers, read leniently so that a newer gateway may say
more, and `failures` what is raised.  `terminal` and the `…_page` files are the commands of `warren` that ask a gateway.

**What it must not load.**  Neither the gateway, nor the engine, nor a database driver: a web service that wants to
submit one job does not pay for them (an import contract and a test hold that).
"""
