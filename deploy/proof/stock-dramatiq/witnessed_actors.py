"""The same job as an actor of stock Dramatiq, and its sender: its RabbitMQ broker, its own middleware and options.

`dramatiq witnessed_actors` does the jobs.  `python witnessed_actors.py` sends them until each send has returned (see
proof/producer.py): with `confirm_delivery` that is when RabbitMQ has confirmed the message.  Dramatiq itself tries six
times; what it gives up on is sent again with the same message, so that only the broker could make two of it.
"""

import os
import random
import sys
import threading
import time
import uuid
from pathlib import Path
from queue import SimpleQueue

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from deploy.proof.producer import ACCEPTED, AGAIN
from deploy.proof.witness import VARIABLE, Witness

THREADS = 4  # a connection each; one alone waits for its confirm most of the time
PAUSE_SECONDS = 0.2

broker = RabbitmqBroker(url=os.environ["AMQP_URL"], confirm_delivery=True)
dramatiq.set_broker(broker)
witness = Witness(Path(os.environ[VARIABLE]))
printing = threading.Lock()


@dramatiq.actor
def witnessed(job: str) -> None:
    """Leave a trace that RabbitMQ does not know of."""
    witness.began(job)
    time.sleep(random.uniform(0.020, 0.050))  # noqa: S311 - work, not a secret
    witness.ended(job)


def say(word: str, rest: str = "") -> None:
    with printing:
        print(word, rest, flush=True)


def send(job: str) -> None:
    message = witnessed.message(job)
    while True:
        try:
            broker.enqueue(message)
        except Exception as error:  # noqa: BLE001 - whatever pika or Dramatiq raises: it was not accepted
            print(f"sending again: {error!r}", file=sys.stderr, flush=True)
            say(AGAIN)
            time.sleep(PAUSE_SECONDS)
        else:
            say(ACCEPTED, job)
            return


def work(wanted: "SimpleQueue[str]") -> None:
    while True:
        send(wanted.get())


def main() -> None:
    wanted: SimpleQueue[str] = SimpleQueue()
    for _ in range(THREADS):
        threading.Thread(target=work, args=(wanted,), daemon=True).start()
    for order in sys.stdin:
        for _ in range(int(order)):
            wanted.put(str(uuid.uuid4()))


if __name__ == "__main__":
    main()
