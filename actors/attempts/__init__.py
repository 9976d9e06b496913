"""One attempt of a job, from the granted claim to its recorded end: begun, run, judged, settled.

**Promise.**  However a function ends, its attempt has one end, as a value; that is committed before its message is
acked, and one that cannot be stored fails alone.

`craft` is what is known of its type; `begin` makes the attempt and `attempt` runs it, on the loop or on one of the
`threads`, with Dramatiq's `signals` around it.  `upkeep` brings it time limits and cancel requests, `capture` and
`keep` take care of what it logs.  `verdict` says what its end means (`exhausted` sends what Dramatiq would),
`large_results` puts aside what no row holds, `settle` records a batch and acks it.  `figures` counts, `told` tells
OpenTelemetry.

Knows neither queues nor the lane: a delivery comes in, and what to do with it goes out.
"""
