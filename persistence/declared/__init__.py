"""declared: what has been said before any job comes: types, queues, pins, what stands still.

**Promise.**  Postgres is the truth about which queue a type belongs to; publishers know types and never queues, so
both can be moved without telling anybody.

`job_types` are those that workers have registered, `payloads` judges by their schemas, `pauses` is what people have
stopped.  `pins` are facts about the broker that must not change under our feet, `declare` makes its objects stand by
them, `follow` leads waiting jobs to where their type has moved.
"""
