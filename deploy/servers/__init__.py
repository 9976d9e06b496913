"""servers: RabbitMQ and Postgres, ours or somebody else's.

**Promise.**  A server of ours listens on loopback only, keeps its data, ports and passwords over a restart, and is
known again after a SIGKILL of everything; what somebody else runs is used, and never started or stopped.

`sources` says where each comes from: `addresses` that the environment names, binaries of this machine, `docker`, an
installation.  `instance` is what any private server does, in one folder; `rabbitmq` and `postgres` are the two.  Tests
start them too, and `guard` stops those that nobody holds any more.  Refuses data of another major version.  Installs
nothing itself: its caller hands in how.
"""
