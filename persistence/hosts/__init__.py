"""Hosts that jobs visit, and whose turn it is at each: shared by all processes.

A **turn** is the right to one request at a host, now; a row with a deadline, so that a worker that dies frees it.  Who
finds no turn stands in the host's **line** and sleeps; who leaves a host **calls** the next of its line: a message that
brings the job to a worker just before its turn.  So a job waits in nobody's memory, comes once, and a slow host costs
nothing to the others.

`gate.py` is what a worker asks, `turns.py` the statements behind it, `calls.py` the line, `robots.py` what a host's
robots.txt said, `forget.py` lets go of hosts that nobody has visited for a month.
"""
