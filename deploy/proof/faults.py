"""What is done to a contestant, one function each: send a wave, strike in its middle, say when it is mended.

Processes are started again by their supervisor, which is the one that `deploy/up` has; servers by the proof, where
their disk is left to them.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.parse import quote

from deploy.machine.processes import Process
from deploy.proof.ledger import Kill, Outage
from deploy.proof.scene import Scene
from deploy.servers.rabbitmq import RabbitMQ, manage

ALL = 256  # more workers than may be asked for
MANY = 50  # jobs in one worker that make it worth killing
CROWD_SECONDS = 10.0  # how long to wait for so many
PILE_SECONDS = 2.0  # how long messages may pile up; a worker is back sooner or later
STRIKE_SECONDS = 20.0  # by then half of a wave is accepted, or the fault strikes all the same


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault is under way."""

    since: float
    mended: Callable[[], bool]
    story: Callable[[float], str]  # what happened, by the seconds until it was mended


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    needs: str  # the role or the server it is done to
    strike: Callable[[Scene, int], Struck]  # in the middle of a wave of so many jobs


def kill_a_worker(scene: Scene, jobs: int) -> Struck:
    held, another, since = _kill_workers(scene, 1, jobs)
    return Struck(
        since,
        another,
        lambda seconds: f"{_jobs(held)} ran in it; another took its place after {seconds:.1f} s",
    )


def kill_all_workers_and_purge(scene: Scene, jobs: int) -> Struck:
    """With nobody to take them away, messages pile up in the queue, which is then emptied."""
    held, another, since = _kill_workers(scene, ALL, jobs // 2)
    scene.producer.ask(jobs - jobs // 2)
    scene.within(lambda: _messages(scene) >= jobs // 3, PILE_SECONDS)
    gone = _messages(scene)
    _manage(scene, "DELETE", f"queues/%2F/{_queue(scene)}/contents")
    scene.look()
    scene.purged, scene.purged_at = scene.producer.accepted.keys() - scene.book.ended, time.monotonic()
    return Struck(
        since,
        another,
        lambda seconds: f"{_jobs(held)} ran in them, {gone:,} messages purged; at work again after {seconds:.1f} s",
    )


def cut_all_connections(scene: Scene, jobs: int) -> Struck:
    _until_half_is_accepted(scene, jobs)
    listed, since = json.loads(_manage(scene, "GET", "connections")), time.monotonic()
    for connection in listed:
        try:
            _manage(scene, "DELETE", f"connections/{quote(connection['name'], safe='')}")
        except HTTPError:
            continue  # it went between the list and now
    return Struck(
        since,
        _at_work_again(scene),
        lambda seconds: f"{len(listed)} connections; jobs began again after {seconds:.1f} s",
    )


def kill_rabbitmq(scene: Scene, jobs: int) -> Struck:
    return _kill_server(scene, "rabbitmq", jobs)


def kill_postgres(scene: Scene, jobs: int) -> Struck:
    return _kill_server(scene, "postgres", jobs)


def kill_the_gateway(scene: Scene, jobs: int) -> Struck:
    _until_half_is_accepted(scene, jobs)
    killed, again, since = scene.crew.process("gateway"), scene.producer.sent_again, time.monotonic()
    assert killed is not None
    killed.send(signal.SIGKILL)

    def mended() -> bool:
        return scene.crew.process("gateway") not in (None, killed) and scene.contestant.missing() is None

    def story(seconds: float) -> str:
        return f"back after {seconds:.1f} s; {scene.producer.sent_again - again:,} submissions were sent again"

    return Struck(since, mended, story)


# The broker's before Postgres' and the purge in between: a rescue needs a broker that has stood for a while.
FAULTS = (
    Fault("a worker killed", "workers", kill_a_worker),
    Fault("the gateway killed", "gateway", kill_the_gateway),
    Fault("all connections cut", "rabbitmq", cut_all_connections),
    Fault("RabbitMQ killed", "rabbitmq", kill_rabbitmq),
    Fault("a worker killed", "workers", kill_a_worker),
    Fault("workers killed, purge", "workers", kill_all_workers_and_purge),
    Fault("Postgres killed", "postgres", kill_postgres),
    Fault("a worker killed", "workers", kill_a_worker),
)


def _until_half_is_accepted(scene: Scene, jobs: int) -> None:
    half = scene.producer.asked + jobs // 2
    scene.producer.ask(jobs)
    scene.within(lambda: len(scene.producer.accepted) >= half, STRIKE_SECONDS)


def _kill_workers(scene: Scene, count: int, jobs: int) -> tuple[int, Callable[[], bool], float]:
    """Kill the busiest: how many jobs ran in them, whether another process is at work since, and when it was."""
    most, many = scene.producer.asked + jobs * 3 // 4, min(MANY, jobs // 10)
    scene.producer.ask(jobs)
    scene.until(lambda: bool(scene.workers()), STRIKE_SECONDS, "a worker has begun a job")
    workers, before = scene.workers(), scene.crew.below("workers") | scene.book.pids.keys()

    def worth_it() -> bool:
        busiest = max(map(scene.book.in_flight, workers))
        return busiest >= many or (busiest > 0 and len(scene.producer.accepted) >= most)

    scene.within(worth_it, CROWD_SECONDS)  # and strike at once, before they end
    since = time.monotonic()
    condemned = sorted(workers, key=scene.book.in_flight)[-count:] if count < ALL else sorted(scene.crew.hands())
    held = sum([_kill(scene, pid) for pid in condemned])

    def another() -> bool:
        if scene.idle:  # nobody begins a job
            return bool(scene.crew.below("workers") - before)
        return bool(scene.book.pids.keys() - before)

    return held, another, since


def _kill(scene: Scene, pid: int) -> int:
    process = Process.of(pid)
    process.send(signal.SIGKILL)
    process.wait(5)
    scene.kills.append(Kill(pid, time.monotonic()))
    scene.book.catch_up()
    held = scene.book.in_flight(pid)
    scene.book.forget(pid)
    return held


def _kill_server(scene: Scene, name: str, jobs: int) -> Struck:
    _until_half_is_accepted(scene, jobs)
    server, accepted, since = scene.server(name), len(scene.producer.accepted), time.monotonic()
    server.kill()

    def bring_back() -> None:
        server.start()
        if name == "postgres":
            scene.outages.append(Outage(since, time.monotonic()))

    starting = scene.meanwhile(bring_back)
    at_work = _at_work_again(scene)

    def mended() -> bool:
        if not starting.done():
            return False
        starting.result()
        return at_work()

    def story(seconds: float) -> str:
        meanwhile = len(scene.producer.accepted) - accepted
        return f"jobs began again after {seconds:.1f} s; {meanwhile:,} were accepted meanwhile"

    return Struck(since, mended, story)


def _at_work_again(scene: Scene) -> Callable[[], bool]:
    """A job has begun since, or there is none."""
    scene.look()
    since = len(scene.book.events)
    return lambda: any(event.began for event in scene.book.events[since:]) or scene.idle


def _messages(scene: Scene) -> int:
    """How many wait in the work queue now; the console's own figure is seconds old."""
    asked: dict[str, object] = {"count": 1, "ackmode": "ack_requeue_true", "encoding": "auto", "truncate": 1}
    found = json.loads(_manage(scene, "POST", f"queues/%2F/{_queue(scene)}/get", asked))
    return int(found[0]["message_count"]) + 1 if found else 0


def _queue(scene: Scene) -> str:
    return quote(scene.contestant.queue, safe="")


def _manage(scene: Scene, method: str, path: str, body: dict[str, object] | None = None) -> bytes:
    broker = scene.server("rabbitmq")
    assert isinstance(broker, RabbitMQ)
    return manage(broker.management_url, method, path, body)


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"
