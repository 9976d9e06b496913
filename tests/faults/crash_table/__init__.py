"""The crash table: a process is killed at a named point, and what its job does next is asserted.

Each row is read like this: *who dies* (the file), *at which point* (a name in crash_points.py, struck by saboteur.py in
the real process, with SIGKILL), *while it does what*, and the Account of the job afterwards (scene.py).  In every row
no job is lost, one outcome is recorded, no attempt is burned and nobody is convicted; `nothing_is_left` looks at all of
them together at the end.

A package, so that its Warren is stopped when the last row is done and other tests may do to the servers what they like.
"""
