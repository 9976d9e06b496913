"""attempts: which delivery may run, how far it is, and what became of it.

**Promise.**  Each start takes the next lease, and only the current lease may write; a late outcome is kept beside it.
Every delivery that is asked about gets a word of answer, and silence never means that it may be acked.

`claim` answers for a batch, `progress` and `attempt_logs` keep what running attempts say, `record` writes how they
ended and, in the same commit, what is due next.  `retry_plan` says when that will be.  What an end means for its job is
decided by the worker (actors/attempts/verdict.py), never here.
"""
