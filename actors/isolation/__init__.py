"""Child processes: where the function of a `@job(…, isolation="process")` runs, apart from the worker.

**Promise.**  Whatever the function does to its process (a crash in a C library, memory without end, a loop that nobody
can interrupt, an exit) costs its own attempt and nothing else; and no child process outlives its worker.

**The way of an attempt.**  The worker claims, decodes, sends the signals and judges as for every job.  In between
`children` finds a child process that is free, or starts one, and `child` hands it the payload, answers what the
function asks of its worker (`answering`), and watches its memory (`memory`), until it says how the function ended, or
is gone.  There, `parent` is the connection, `doing` runs one attempt after the other, and `inside` is what
`context()` finds.  `said` is what the two say to each other, `raised` how an error crosses: by its name, its words and
its stack.  Nothing is ever unpickled.

`start`, `frames` and `bounds` start such a process, frame what is said, and tie its life to the worker's; the process
that reads documents (reading/) is started in the same way.
"""
