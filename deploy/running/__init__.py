"""running: one Warren on this machine, all of it: brought up, watched and taken down.

**Promise.**  When `up` greets, a job would be done; what dies is started again; whatever ends the way up takes down
what it had started; `down` stops that and nothing else, and the data stay.

`stack` holds it together: `prepare` brings what must stand before the first process, `roles` names the processes and
their environment, `supervise` keeps them and drains them in the reverse order, `greeting` tells the addresses when
`health` says so.  `folder` is where everything of one Warren lies and who is at work in it, `leftovers` stops what a
killed supervisor has left there.  Refuses a folder where another supervisor is at work, and gives up, with the last
lines of its log, on what keeps dying on the way up.
"""
