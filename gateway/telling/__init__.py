"""telling: what people are told of a job: why, when, and as it happens.

`why` and `timeline` make sentences of facts, in the `words` that people use; both are pure.  `waiting` and `following`
look once at Postgres for all who wait for an outcome or follow a log, so that a thousand of them cost what one does.
"""
