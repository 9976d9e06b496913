"""Bring everything up, watch over it, take it down.

    port ─► environment, RabbitMQ, Postgres ─► migrations ─► recorder, scheduler, gateway, workers ─► healthy

Whatever ends the way up (a fault, Ctrl-C) takes down what was started before it is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from deploy.defaults import keeping
from deploy.defaults.grpc_port import GrpcPort
from deploy.defaults.scrape import Scrape
from deploy.machine.ports import is_free, listener
from deploy.provision import venv
from deploy.provision.errands import ErrandFailed, Errands, Stopped
from deploy.running import health, leftovers
from deploy.running.folder import Folder, Running
from deploy.running.greeting import Progress, greeting
from deploy.running.prepare import Preparation
from deploy.running.roles import (
    CLOCK,
    artifacts_environ,
    child_environ,
    databases_environ,
    migrate,
    outbox_environ,
    roles,
)
from deploy.running.supervise import Child, Supervisor
from deploy.servers import docker, rabbitmq
from deploy.servers.instance import last_lines
from deploy.servers.postgres import Postgres
from deploy.servers.sources import Given
from deploy.terminal.interrupts import Interrupts
from deploy.terminal.options import Up

HEALTHY_SECONDS = 120.0
TICK_SECONDS = 0.2


class CannotStart(Exception):
    pass


class Stack:
    def __init__(self, root: Path, options: Up, folder: Folder) -> None:
        self._root = root
        self._options = options
        self._folder = folder
        self._progress = Progress()
        self._say = self._progress.say
        self._interrupts = Interrupts(lambda text: self._say("up", text))
        self._errands = Errands(folder.log("up"))
        self._venv = venv.place(root, folder.path)
        self._preparation = Preparation(folder, options, self._venv, self._errands, self._say)
        self._scrape = Scrape(folder.path, options.environ)
        self._grpc = GrpcPort(folder.path, options.grpc_port)
        self._children: list[Child] = []
        self._supervisor: Supervisor | None = None

    def run(self, settled: Callable[[], None]) -> None:
        """Return when everything is down again."""
        self._interrupts.install()
        try:
            self._come_up()
            settled()
            self._watch()
        finally:
            self._take_down()

    def _come_up(self) -> None:
        leftovers.stop_processes(self._folder, self._say)
        self._refuse_a_taken_port("--port", self._options.port)
        self._refuse_a_taken_port("--grpc-port", self._options.grpc_port or 0)
        for name in ("up", "rabbitmq", "postgres"):
            self._folder.turn_over(name)
        self._preparation.run(self._interrupts.stop)
        self._grpc.choose()
        environ = self._environ()
        self._migrate(environ)
        self._supervisor = self._start_processes(environ)
        self._wait_until_healthy(self._supervisor)
        self._announce()

    def _refuse_a_taken_port(self, option: str, port: int) -> None:
        if not port or is_free(port):
            return
        holder = listener(port)
        by = f"{holder[1]} (pid {holder[0]})" if holder else "a process of another user"
        raise CannotStart(f"port {port} is already used by {by}; try deploy/up {option} {port + 1}")

    def _environ(self) -> dict[str, str]:
        ours = child_environ(
            self._options.environ, self._addresses(), self._options.port, self._root, self._venv.folder
        )
        said, folder = self._options.environ, self._folder
        ours |= artifacts_environ(said, folder.artifacts) | outbox_environ(said, folder.outbox)
        ours |= databases_environ(said, folder.databases) | self._grpc.environ()
        return ours | keeping.cleaning(said, folder.outbox) | self._kept()

    def _kept(self) -> dict[str, str]:
        """What backups are made with, and restored."""
        return keeping.environ(self._options.environ, self._folder.path, self._preparation.servers)

    def _addresses(self) -> dict[str, str]:
        return {name: url for server in self._preparation.servers for name, url in server.environ().items()}

    def _migrate(self, environ: dict[str, str]) -> None:
        try:
            self._errands.run(migrate(self._venv.python), environ=environ)
        except ErrandFailed as failed:
            raise CannotStart(f"the database could not be migrated: {failed}") from failed
        self._say("postgres", "migrated")

    def _start_processes(self, environ: dict[str, str]) -> Supervisor:
        wanted = roles(self._venv.python, self._options.workers, self._options.drain_seconds)
        self._scrape.choose([role.name for role in wanted], self._told_by_servers())
        for role in wanted:
            self._folder.turn_over(role.name)
            told = environ | self._beside(role.name) | self._scrape.environ(role.name)
            self._children.append(Child(role, told, self._folder.log(role.name), self._folder.record(role.name)))
        supervisor = Supervisor(self._preparation.servers, self._children, self._say)
        self._say("processes", ", ".join(child.role.name for child in self._children))
        supervisor.start()
        return supervisor

    def _beside(self, role: str) -> dict[str, str]:
        """The shorter way to a Postgres of ours.

        The clock comes by TCP: there Postgres can end the session of a process that was frozen in the middle of an
        answer, and with it the locks by which others know that its schedules are served.
        """
        if role == CLOCK:
            return {}
        ours = [server for server in self._preparation.servers if isinstance(server, Postgres)]
        return {"WARREN_DATABASE_URL": ours[0].near} if ours else {}

    def _told_by_servers(self) -> dict[str, int]:
        """The ports of servers of ours that tell figures by themselves."""
        brokers = [s for s in self._preparation.servers if isinstance(s, rabbitmq.RabbitMQ | docker.RabbitMQ)]
        return {broker.name: broker.ports["prometheus"] for broker in brokers}

    def _wait_until_healthy(self, supervisor: Supervisor) -> None:
        deadline = time.monotonic() + HEALTHY_SECONDS
        while missing := health.missing(self._options.url, self._options.api_key):
            if self._interrupts.stop.wait(TICK_SECONDS):
                raise Stopped
            supervisor.tick(coming_up=True)
            if time.monotonic() > deadline:
                logs = "".join(f"\n  {c.log}:\n{last_lines(c.log, 5)}" for c in self._children)
                raise CannotStart(f"not healthy after {HEALTHY_SECONDS:.0f} s: {missing}{logs}")

    def _announce(self) -> None:
        target = self._grpc.target(self._options.url)
        facts = [("gRPC", target)] if target else []
        facts += [fact for server in self._preparation.servers for fact in server.facts()] + self._scrape.facts()
        running = Running(self._options.url, facts, self._options.api_key)
        doors = {"WARREN_URL": running.url} | ({"WARREN_GRPC_TARGET": target} if target else {})
        key = {"WARREN_API_KEY": running.api_key} if running.api_key else {}
        self._folder.write_env({**self._addresses(), **doors, **key, **self._kept()})
        self._folder.announce(running)
        self._say("up", "healthy: a job would be done now")
        print(greeting(running, self._folder.env), flush=True)

    def _watch(self) -> None:
        if not self._options.detach:
            print("Ctrl-C drains and stops everything; the data stay.", flush=True)
        while self._supervisor and not self._interrupts.stop.wait(TICK_SECONDS):
            self._supervisor.tick()

    def _take_down(self) -> None:
        if self._supervisor:
            self._supervisor.drain(self._interrupts.kill)
        ours = [server for server in reversed(self._preparation.servers) if not isinstance(server, Given)]
        for server in ours:
            self._say(server.name, "stopping")
            if self._interrupts.kill():
                server.kill()
            else:
                server.stop()
        self._folder.leave()
        if ours or self._supervisor:
            self._say("down", "everything that was started here has ended")
