"""rabbitmq: the connection, down to the bytes: what is sent, what is confirmed, what comes in."""
