"""declared: what has been said before any job comes: types, queues, pins, what stands still."""
