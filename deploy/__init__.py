"""How Warren runs: locally without Docker, under compose, on Kubernetes.

Promise: from a bare Debian machine with Python 3.11, `deploy/up` leads to a healthy system in about a minute;
`deploy/down` stops all that it started and nothing else; the data stays.

Doors:

- `deploy/up`, `deploy/down`, `deploy/test`, `deploy/prove`, `deploy/lock`: thin shells over `deploy/with-python`, which
  finds or installs a Python and hands over to `deploy.command`.
- `deploy.servers`: where RabbitMQ and Postgres come from: the environment, native binaries, Docker, an installation.
- `deploy.postgres`, `deploy.rabbitmq`: one private instance in one folder, on free loopback ports; tests use them too.
- `deploy.supervise`: starts what must run, restarts what dies, drains in reverse.
- `deploy.proof`: what `deploy/prove` does: kill everything while jobs run, and count by a witness of its own.

All of that is standard library only: it runs before the virtual environment exists, and so the supervisor
needs no second process to hand its servers over to.  `deploy.settings_pages` and `deploy.topology_page`, which the
command `warren` prints, come after it and may import the other rooms.

Failure modes: a killed supervisor leaves its records in `DIR/run`, and the next `up` or `down` on that folder adopts
or stops what they name, checked by start time, so a reused process number is never signalled.
"""
