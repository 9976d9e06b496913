"""How Warren runs: locally without Docker, under compose, on Kubernetes.

Promise: from a bare Debian machine with Python 3.11, `deploy/up` leads to a healthy system in about a minute;
`deploy/down` stops all that it started and nothing else; the data stays.

The commands are `deploy/up`, `deploy/down`, `deploy/test` and `deploy/prove`: thin shells over `deploy/with-python`,
which finds or installs a Python and hands over to `command.py`.  `deploy/lock` writes the locks anew.

    terminal/     what a person types, sees and presses: options, the screen, Ctrl-C, a prompt that comes back
    running/      one Warren, all of it: up, watched over, down; where it lies, and what a killed one has left there
    defaults/     what its processes are given where nobody has said otherwise: ports, the key of backups
    provision/    what a bare machine lacks: RabbitMQ and Postgres by apt, libraries, the virtual environment
    servers/      RabbitMQ and Postgres, private or somebody else's; tests start theirs here too
    machine/      ports, processes and accounts of this computer; all the others stand on it

    gate/         what `deploy/test` does, on servers of its own
    proof/        what `deploy/prove` does: kill everything while jobs run, and count by a witness of its own
    demo/         what `warren demo` submits
    boards/       dashboards and alerts, written from the metrics
    pages/        what `warren settings`, `warren metrics` and `warren topology` print

    RUNBOOK.md    what to do, by symptom
    grafana/  prometheus/  otel/  rabbitmq/  Dockerfile           for containers and operators; no code
    requirements.lock, -test.lock, -bench.lock                    what the virtual environments are filled from

`command`, the first six folders, `gate` and `proof` are standard library only: they run before the virtual environment
exists, and so the supervisor needs no second process to hand its servers over to.  `demo`, `boards` and `pages` come
after it and may import the other rooms.

Failure modes: a killed supervisor leaves its records in `DIR/run`, and the next `up` or `down` on that folder adopts
or stops what they name, checked by start time, so a reused process number is never signalled.
"""
