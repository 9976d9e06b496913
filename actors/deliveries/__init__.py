"""Messages in this process: taken from the work queues, kept until they are settled, put back where they are surplus.

Knows nothing of jobs: what a body says is read in lane/.
"""
