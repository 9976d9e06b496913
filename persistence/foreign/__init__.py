"""foreign: messages of other services become rows, or letters.

**Promise.**  A message at the public door becomes one job, or one dead letter whose reason names the field; it is acked
after that is committed.

`recorder` is the process that empties the queues, `intake` judges one message, `stray` finds out of one that fell out
of the topology whether a job still waits for it.  Refuses to guess: what says two things at once is a letter.
"""
