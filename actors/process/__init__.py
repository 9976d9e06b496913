"""The processes of workers: supervised, loaded by Dramatiq's command line, put together, watched, reloaded.

**Promise.**  A process that dies, hangs or goes deaf costs itself and no job; nothing that it has started outlives it.

Above: `supervise` keeps so many of them, `session` ends what one has left behind, `reload` restarts them for whoever
develops.  Within: `child` is Dramatiq's command line, `app` what that loads, `modules` finds the job types; `assemble`
puts the parts together and `lane_thread` gives them a life.  `surroundings` is what jobs find in their process, in a
child process (`isolated`) too.  `heartbeat` says from a thread of its own that all is well, `watchdog` tells it when
the loop stands still.
"""
