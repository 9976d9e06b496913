"""Put the room together: the services in the order in which they start, and the routes over them.

Starting waits for nobody: with both stores away the gateway is up, live and not ready, and answers 503.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import structlog
from aiohttp import web

from gateway.access import Access
from gateway.docs import Docs
from gateway.door import continue_or_refuse, door
from gateway.health import Reporter
from gateway.hints import Hints
from gateway.listen import Listener
from gateway.openapi import Description
from gateway.redrive import Redrive
from gateway.redriver import Redriver
from gateway.rest.dead_letters import DeadLetters
from gateway.rest.job_actions import JobActions
from gateway.rest.job_types import JobTypes
from gateway.rest.jobs import Jobs
from gateway.rest.redrives import Redrives
from gateway.rest.submissions import Submissions
from gateway.submit import Submitter
from gateway.waiting import Waiting
from persistence.accept import Acceptor
from persistence.database import Database
from persistence.declare import declare
from persistence.job_types import Catalogue
from persistence.outbox import Publisher
from wire.amqp import Broker
from wire.errors import BrokerUnavailable, DatabaseUnavailable, TopologyMismatch
from wire.lifecycle import Service
from wire.settings import Settings, Stores

log = structlog.get_logger()

NAME: Final = "warren gateway"


class Room:
    """All parts of one gateway, wired; nothing has started yet."""

    def __init__(self, settings: Settings) -> None:
        access = Access(settings.gateway)
        max_bytes, page_size = settings.limits.max_body_bytes, settings.gateway.page_size
        lease_seconds = settings.worker.lease_seconds
        self.database = Database.of(settings.stores, NAME)
        self.broker = _broker(settings.stores, self.database)
        self.acceptor = Acceptor(self.database, self.broker)
        self.posts = Publisher(self.database, self.broker)
        self.hints = Hints(self.broker)
        self.waiting = Waiting(self.database)
        catalogue = Catalogue(self.database, lease_seconds)
        submitter = Submitter(catalogue, self.database, max_bytes)
        redrive = Redrive(self.database, catalogue, submitter, self.posts, max_bytes)
        self.redriver = Redriver(self.database, redrive, max_bytes)
        routes = (
            Submissions(submitter, self.acceptor, max_bytes).routes(),
            Jobs(self.database, self.waiting, page_size).routes(),
            JobActions(self.database, self.posts, self.hints).routes(),
            Redrives(self.database, redrive, self.redriver).routes(),
            DeadLetters(self.database, redrive, page_size, max_bytes).routes(),
            JobTypes(self.database, lease_seconds).routes(),
            Reporter(self.database, self.broker, lease_seconds).routes(),
            Description(self.database, lease_seconds).routes(),
            Docs().routes(),
        )
        app = _application(access, (route for part in routes for route in part), self.waiting)
        self.listener = Listener(app, settings.gateway.host, settings.gateway.port)

    @property
    def services(self) -> list[Service]:
        """In the order in which they start; the last one stops first."""
        background: list[Service] = [self.acceptor, self.posts, self.hints, self.redriver, self.waiting]
        return [self.database, self.broker, *background, self.listener]


def _application(access: Access, routes: Iterable[web.RouteDef], waiting: Waiting) -> web.Application:
    app = web.Application(middlewares=[door(access)])
    app.add_routes(
        web.RouteDef(route.method, route.path, route.handler, {**route.kwargs, "expect_handler": continue_or_refuse})
        for route in routes
    )

    async def let_go(_: web.Application) -> None:
        await waiting.stop()  # before the drain, which would else last as long as the longest ?wait=

    app.on_shutdown.append(let_go)
    return app


def _broker(stores: Stores, database: Database) -> Broker:
    async def on_connect(broker: Broker) -> None:
        """Declare what must stand; without Postgres nobody knows the profile, and the broker may have it already."""
        try:
            await declare(broker, database, stores.profile)
        except DatabaseUnavailable as e:
            log.warning("topology_not_checked", error=str(e))
        except TopologyMismatch as e:
            log.error("topology_mismatch", error=str(e))
            raise BrokerUnavailable(str(e)) from e

    return Broker.of(stores, NAME, on_connect)
