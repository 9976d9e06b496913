"""One attempt of a job, from the granted claim to its recorded end: begun, run, judged, settled.

Knows neither queues nor the lane: a delivery comes in, and what to do with it goes out.
"""
