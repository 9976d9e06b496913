"""What users run today, at the same work as Warren: a module each, that its own tool loads as its users' code.

A module here is a worker's code and its publisher: `preload` fills the queue, `submit` sends one job the way its
library's manual says.  How each is run, and what it records, is in contestants.py; contest.py lets them
drain by turns.  Nothing here is tuned against its
owner: where a default would make it slower than a careful user would bear, the better value is set, and told.
"""
