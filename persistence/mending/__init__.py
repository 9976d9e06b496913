"""mending: waiting jobs whose message is gone, or never comes.

**Promise.**  Age alone proves nothing, so an honest backlog is left alone; sending again too often costs messages and
never a second run.

`rescue` sends again what was overtaken, `epoch` everything when the broker has lost its disk; `neglected` finds those
that more important ones keep from being delivered.  When it is time for any of these is the scheduler's affair, and for
the last one a worker's.
"""
