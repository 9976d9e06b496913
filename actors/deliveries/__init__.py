"""Messages in this process: taken from the work queues, kept until they are settled, put back where they are surplus.

**Promise.**  A message is settled on the channel that it came from or not at all; one that is not settled comes again.

`connection` reads the frames, `consume` keeps the subscriptions and settles, `delivery` is one message and its channel,
`ackwindow` makes few acks of many.  In between they wait in a `buffer`, highest priority first; `surplus` and `hold`
put back what this process will not come to, or must not.

Knows nothing of jobs: what a body says is read in lane/.
"""
