"""accepting: a job becomes a row, and the row a message.

**Promise.**  Who is told that a job was taken finds its row and its outbox row in one commit, or its message confirmed
by RabbitMQ while Postgres is away.

`submission` is a job that has passed a door, `unique` who stands for whom.  `accept` inserts what the doors bring, many
requests in one commit; `births` what came as a message; `transactional` inside of somebody else's transaction.
`outbox` publishes what is due and forgets it once it is confirmed, `replies` does so for outcomes that somebody asked
for, `publishing` tells OpenTelemetry.  Judges nothing: what comes here has been judged at its door.
"""
