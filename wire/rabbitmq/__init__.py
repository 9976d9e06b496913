"""rabbitmq: the connection, down to the bytes: what is sent, what is confirmed, what comes in.

**Promise.**  Whoever publishes has a confirm or an error before his deadline, and never a hang; no message that
RabbitMQ may deliver, whoever wrote it, brings a reader down.

`amqp` is what the other rooms use, and the one file that talks through aio-pika; `pipeline` publishes many at once,
`subscription` takes many in, `backoff` says when to connect again.  Below: `transport` opens the socket, `deliveries`,
`frames` and `headers` read and write what goes over it, `translate` and `tolerance` are for the library's sake.
Declares what it is told to; which exchanges and queues there are is topology.py.
"""
