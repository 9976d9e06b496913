"""frontiers: what a job that follows links knows of, and how far it has come.

    frontier.py  open it, take what comes next, tell what became of it, read it all
    forget.py    those of jobs that have ended: what came of them is in their results

A frontier is its job's and outlives its attempts: whoever dies in the middle of a document has lost nothing but that
document.  It belongs to one lease at a time, so that an attempt that was given up for dead cannot add to it any more.
"""
