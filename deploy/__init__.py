"""How Warren runs: locally without Docker, under compose, on Kubernetes.

Promise: from a bare Debian machine with Python 3.11, `deploy/up` leads to a healthy system in about a minute;
`deploy/down` stops all that it started and nothing else; the data stays.

Doors:

- `deploy/up`, `deploy/down`, `deploy/test`, `deploy/prove`, `deploy/lock`: thin shells over `deploy/with-python`, which
  finds or installs a Python and hands over to `deploy.command`.
- `deploy.servers`: where RabbitMQ and Postgres come from: the environment, native binaries, Docker, an installation.
- `deploy.postgres`, `deploy.rabbitmq`: one private `instance` in one folder, on free loopback `ports`; tests use them
  too, and `guard` stops those that nobody holds any more.
- `deploy.stack`: all of it up, watched and down: `prepare` (the `venv`, the servers, what `install` finds missing, the
  `libraries` of reports), the processes that `roles` names, kept by `supervise`, the `greeting` when `health` says so.
  `folder` is where one Warren lies, `leftovers` what a killed one has left there, `scrape` where its figures are.
- `deploy.gate`: what `deploy/test` does, on servers of its own, with its files in `memory`; `tally` adds its runs up.
- `deploy.proof`: what `deploy/prove` does: kill everything while jobs run, and count by a witness of its own.
- `deploy.demo`: what `warren demo` submits; `deploy.boards`: dashboards and alerts, written from the metrics.

All of that is standard library only: it runs before the virtual environment exists, and so the supervisor
needs no second process to hand its servers over to.  `deploy.settings_pages` and `deploy.topology_page`, which the
command `warren` prints, come after it and may import the other rooms.

Failure modes: a killed supervisor leaves its records in `DIR/run`, and the next `up` or `down` on that folder adopts
or stops what they name, checked by start time, so a reused process number is never signalled.
"""
