"""The routes under /api/v1, one file a thing: parse, call, answer.

Nothing is decided here.  What was refused is raised and becomes a problem at the door.
"""
