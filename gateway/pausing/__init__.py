"""pausing: queues and types stand still and go on.

`pause_request` reads who and why, `pausing` writes it, and `hints` tells the workers to ask.  What is written holds
whether a hint arrives or not: a worker's next heartbeat is answered with it.
"""
