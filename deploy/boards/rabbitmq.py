"""What RabbitMQ's own plugin tells (rabbitmq_prometheus, port 15692), as far as our panels and alerts ask for it.

Its names are the same from 3.10 to 4.3; a test on the broker at hand looks for each of them.
"""

from __future__ import annotations

from typing import Final

from wire.metrics.kinds import Counter, Gauge

CONNECTIONS: Final = Gauge("rabbitmq_connections", "Connections", roles=())
CHANNELS: Final = Gauge("rabbitmq_channels", "Channels", roles=())
CONSUMERS: Final = Gauge("rabbitmq_consumers", "Consumers", roles=())
QUEUES: Final = Gauge("rabbitmq_queues", "Queues", roles=())
READY: Final = Gauge("rabbitmq_queue_messages_ready", "Messages that wait", roles=())
UNACKED: Final = Gauge("rabbitmq_queue_messages_unacked", "Messages that consumers hold", roles=())
RECEIVED: Final = Counter("rabbitmq_global_messages_received_total", "Messages that were published", roles=())
CONFIRMED: Final = Counter("rabbitmq_global_messages_confirmed_total", "Messages that were confirmed", roles=())
DELIVERED: Final = Counter("rabbitmq_global_messages_delivered_total", "Messages that were delivered", roles=())
REDELIVERED: Final = Counter("rabbitmq_global_messages_redelivered_total", "… once more", roles=())
MEMORY: Final = Gauge("rabbitmq_process_resident_memory_bytes", "Memory of the node", roles=())
MEMORY_LIMIT: Final = Gauge("rabbitmq_resident_memory_limit_bytes", "Where the memory alarm begins", roles=())
DISK_FREE: Final = Gauge("rabbitmq_disk_space_available_bytes", "Free disk", roles=())
DISK_LIMIT: Final = Gauge("rabbitmq_disk_space_available_limit_bytes", "Where the disk alarm begins", roles=())
FILES: Final = Gauge("rabbitmq_process_open_fds", "Open files and sockets", roles=())
FILES_LIMIT: Final = Gauge("rabbitmq_process_max_fds", "… as many as it may open", roles=())
MEMORY_ALARM: Final = Gauge("rabbitmq_alarms_memory_used_watermark", "1 in a memory alarm", roles=())
DISK_ALARM: Final = Gauge("rabbitmq_alarms_free_disk_space_watermark", "1 in a disk alarm", roles=())

TABLE: Final = tuple(value for value in list(globals().values()) if isinstance(value, Counter | Gauge))
