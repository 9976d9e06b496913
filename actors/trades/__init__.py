"""The trades: what some kinds of jobs have to know, and the engine that runs them does not.

The job types of catalogue/ are made of these; job modules of users may be, too.
"""
