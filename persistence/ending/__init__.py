"""ending: a job is ended by people, or forgotten by time.

**Promise.**  What was cancelled, deleted or forgotten never comes back to life: a tombstone answers for the row until
the last message of it can have arrived.  Dead letters are not forgotten here.

`cancel` has all that people do to one job, a retry by hand too; `retention` deletes in small batches what has had its
day.
"""
