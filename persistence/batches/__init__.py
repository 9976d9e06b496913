"""batches: many jobs with one progress, one end and one order for all of them.

**Promise.**  Whoever holds the lock on a batch's row sees its end if there is one; an end has one callback, which is
born in the transaction that notices it.

`batches` makes, closes and reads one, `batch_ends` adds its counters up and finds the end, `batch_callbacks` makes the
job that tells of it, `batch_orders` carries out what is asked of all children, from wherever a crash has left it.
Children are ordinary jobs: they come to life in accepting/, and nothing here runs or publishes one.
"""
