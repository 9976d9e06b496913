"""forgotten: what is still known of jobs that retention has deleted: how many they were.

A table of sums by the hour in which jobs came, their type, how they ended, and how long their last attempt ran, told by
`classes` five per cent apart; `count` adds to it in the statement that deletes the jobs.  Sums can be added up over any
period, and a median be told from the classes.
"""
