"""Publish a job to RabbitMQ and wait for what became of it: `AMQP_URL=… python python_pika.py "hello"`."""

import json
import os
import sys
import uuid

import pika

REPLIES = "amq.rabbitmq.reply-to"  # RabbitMQ hands the answer to this very channel: no queue, no permission

connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
channel = connection.channel()
channel.confirm_delivery()  # a publish returns when RabbitMQ has the job for good, and raises otherwise
answers = []
channel.basic_consume(REPLIES, lambda *delivery: answers.append(delivery[-1]), auto_ack=True)

job = {"type": "echo", "payload": {"message": sys.argv[1]}, "priority": 8}
properties = pika.BasicProperties(
    message_id=str(uuid.uuid4()),  # one a job: the same one again is the same job
    content_type="application/json",
    delivery_mode=2,
    reply_to=REPLIES,
)
channel.basic_publish("jobs.in", "job.echo.p8", json.dumps(job), properties)

while not answers:
    connection.process_data_events(time_limit=1)
print(answers[0].decode())
connection.close()
