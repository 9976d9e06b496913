"""pausing: queues and types stand still and go on."""
