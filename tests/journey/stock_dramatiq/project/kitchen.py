"""A project as one writes it for Dramatiq alone: it imports nothing of Warren and knows nothing of it."""

import asyncio
import json
import os
import threading
import time

import dramatiq
from dramatiq.middleware import CurrentMessage, Middleware


class Diary(Middleware):
    """Write down what the signals say, slowly, as a middleware does that talks to a server of its own."""

    @property
    def actor_options(self):
        return {"dear"}

    def before_process_message(self, broker, message):
        time.sleep(0.05)
        note("before", message, thread=threading.current_thread().name)

    def after_process_message(self, broker, message, *, result=None, exception=None):
        time.sleep(0.05)
        note("after", message, error=exception and type(exception).__name__, result=result)


dramatiq.get_broker().add_middleware(Diary())


def note(event, message=None, **words):
    message = message or CurrentMessage.get_current_message()
    entry = {"event": event, "actor": message.actor_name, "id": message.message_id, "at": time.time(), **words}
    with open(os.environ["WITNESS"], "a") as diary:
        diary.write(json.dumps(entry) + "\n")


@dramatiq.actor
def wash(dish, *, water="cold"):
    note("washed", dish=dish, water=water)
    return f"clean {dish}"


@dramatiq.actor(queue_name="dry-room", dear=True)
def dry(dish):
    note("dried", dish=dish)
    return dish


@dramatiq.actor
def stack_up(shelf, dish):
    note("stacked", shelf=shelf, dish=dish)


@dramatiq.actor
async def soak(seconds):
    await asyncio.sleep(seconds)
    note("soaked", thread=threading.current_thread().name)
    return seconds


@dramatiq.actor(max_retries=2, min_backoff=100, max_backoff=200)
def scrub(pan):
    note("scrubbed", pan=pan)
    raise RuntimeError("burnt on")


class Broken(Exception):
    pass


@dramatiq.actor(max_retries=5, throws=Broken)
def drop(glass):
    note("dropped", glass=glass)
    raise Broken(glass)


@dramatiq.actor(retry_when=lambda retries, error: retries < 1, min_backoff=50)
def wait_for(guest):
    note("waited", guest=guest)
    raise LookupError(guest)


@dramatiq.actor(max_retries=1)
def later(cup):
    note("asked", cup=cup)
    raise dramatiq.Retry("in a moment", delay=300)


@dramatiq.actor(max_age=300)
def serve_hot(soup):
    note("served", soup=soup)


@dramatiq.actor
def cheer(message, result):
    note("cheered", about=message["actor_name"], result=result)


@dramatiq.actor
def mourn(message, error):
    note("mourned", about=message["actor_name"], error=error)


@dramatiq.actor
def give_up(message, retries):
    note("gave_up", about=message["actor_name"], retries=retries["retries"])


@dramatiq.actor
def cook(dishes):
    for dish in dishes:
        wash.send(dish)
    note("cooked")


@dramatiq.actor(max_retries=0)
def cook_and_spill(dishes):
    for dish in dishes:
        wash.send(dish)
    raise RuntimeError("spilt")
