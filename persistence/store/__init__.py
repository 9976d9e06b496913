"""store: how this process talks to Postgres, whatever it asks.

**Promise.**  Every call has a deadline; an outage is `DatabaseUnavailable` and a wrong statement stays the error it is.

`database` is what the rest of the room holds, `pool` its connections.  `given` and `bisect` are for batches: many rows
as arrays, and one bad row told apart from its neighbours; `ids` and `statements` save a batch what Python would spend
on each.  `listen` hears what other sessions commit, `lead` has one process of many speak for all, `served` tells
OpenTelemetry.  Knows no job and no table.
"""
