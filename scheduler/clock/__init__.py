"""The clock: schedules that are due become runs, each due time exactly once, whichever schedulers live.

**Promise.**  With any number of schedulers there is one run a due time, and one job.  A dead one's schedules are
another's within a second, a frozen one's within ten.  A run is late by milliseconds while somebody lives; what was due
while nobody did is late for half a minute, and then missed, which its schedule decides about.

**A turn**, in the order of the files: `hold` this clock's `shares` of the segments and learn the `database_time`;
`loading` what is due soon and make it `prepared`: its `step`, its job; keep it `ahead` until its moment; make its
`runs`, in one statement on the connection that holds the segments, and hand their messages to the publisher; `upkeep`
when nothing is due.  `clock` is the loop.

**Why twice is impossible.**  Three locks, each enough by itself: Postgres has ended the connection of a clock that lost
its segments; the statement compares the due time that its schedule has now; a run's key is its due time.

**Failure modes.**  Postgres away: no runs are made, and nothing is forgotten.  RabbitMQ away: runs are made, and their
messages wait in the outbox.  A loop that stands still loses its segments, is told by `/health/live` after half a minute
and by `warren_clock_turn_age_seconds` at once.  A database's clock that is set forward makes due what it passes over;
set back, it fires nothing again, and the next run waits until that time has come again.  The rules of a time zone
change: the first clock with the newer edition of them corrects what is due in the future (`zones`).
"""
