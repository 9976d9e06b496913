"""The proof on one screen: kill everything while jobs run, then count what a witness outside of Warren saw.

Promise: `deploy/prove` ends with 0 only if every job that was accepted has ended, was recorded once and is blamed for
nothing.  What is counted was written by the jobs themselves, each line by one `write` to a file that neither RabbitMQ
nor Postgres nor any process of Warren's reads.

Doors:

- `proving.py`: the command; makes a private folder, brings up servers that may be killed, takes everything down.
- `trial.py`: one contestant under the faults of `faults.py`, while `producer.py` submits.
- `witness.py`, `book.py`, `ledger.py`: what is written, how it is read, what is made of it; the last one is pure.
- `page.py`, `promises.py`: what a person sees, on the screen of `deploy.terminal`.
- `warren-jobs/`, `stock-dramatiq/`: the programs that run inside the contestants; no package, so that nothing here
  imports what only a worker may.

Like all of `up` it is standard library only.  It refuses servers that somebody else runs, since it kills its own.
"""
