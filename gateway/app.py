"""Put the room together: the services in the order in which they start, and the routes over them.

Starting waits for nobody: with both stores away the gateway is up, live and not ready, and answers 503.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import structlog
from aiohttp import web

from gateway.crawls.making import Crawls
from gateway.dashboard.pages import Dashboard
from gateway.dialects.routes import Dialects
from gateway.ending.cancelling import Cancelling
from gateway.entrance.access import Access
from gateway.entrance.body import ARRIVING, BODY_SECONDS, Arriving
from gateway.entrance.closed_ends import with_closed_ends
from gateway.entrance.door import continue_or_refuse, door
from gateway.entrance.listen import Listener
from gateway.health import Reporter
from gateway.openapi.document import Description
from gateway.openapi.pages import Docs
from gateway.pausing.hints import Hints
from gateway.pausing.pausing import Pausing
from gateway.reading.jobs import Standing
from gateway.redriving.redrive import Redrive
from gateway.redriving.redriver import Redriver
from gateway.rest.artifacts import Artifacts
from gateway.rest.batch_actions import BatchActions
from gateway.rest.batches import BatchRoutes
from gateway.rest.bulk import BulkSubmissions
from gateway.rest.crawls import CrawlRoutes
from gateway.rest.dead_letters import DeadLetters
from gateway.rest.job_actions import JobActions
from gateway.rest.job_types import JobTypes
from gateway.rest.jobs import Jobs
from gateway.rest.logs import Logs
from gateway.rest.queues import Queues
from gateway.rest.redrives import Redrives
from gateway.rest.schedule_actions import ScheduleActions
from gateway.rest.schedules import Schedules
from gateway.rest.stats import Stats
from gateway.rest.submissions import Submissions
from gateway.rest.why import Why
from gateway.rest.workers import Workers
from gateway.rpc.listen import RpcListener
from gateway.rpc.parts import Parts
from gateway.schedules.judge import Judge
from gateway.schedules.keeping import Keeper
from gateway.schedules.running import Running
from gateway.submitting.batches import Batches
from gateway.submitting.bulk import Bulk
from gateway.submitting.orders import Orders
from gateway.submitting.passing_on import PassingOn
from gateway.submitting.submit import Submitter
from gateway.telling.following import Following
from gateway.telling.waiting import Waiting
from persistence.accepting.accept import Acceptor
from persistence.accepting.outbox import Publisher
from persistence.artifacts.object_store import ObjectStore
from persistence.declared.declare import declare
from persistence.declared.job_types import Catalogue
from persistence.store.database import Database
from wire.errors import BrokerUnavailable, DatabaseUnavailable, TopologyMismatch
from wire.lifecycle import Service, Together
from wire.metrics.kinds import GATEWAY
from wire.metrics.listener import Exposed
from wire.rabbitmq.amqp import Broker
from wire.settings import Settings, Stores
from wire.signature import signature
from wire.spans.setup import Spans

log = structlog.get_logger()


class Routed(Protocol):
    """What has routes."""

    def routes(self) -> Iterable[web.RouteDef]: ...


class Room:
    """All parts of one gateway, wired; nothing has started yet."""

    def __init__(self, settings: Settings) -> None:
        access = Access(settings.gateway)  # first: it refuses what must not be opened
        self._settings, self._lease_seconds = settings, settings.worker.lease_seconds
        self._max_bytes, self._page_size = settings.limits.max_body_bytes, settings.gateway.page_size
        self._trace_url = settings.gateway.trace_url_template
        self.database = Database.of(settings.stores, signature("gateway"))
        self.broker = _broker(settings.stores, self.database)
        self.acceptor = Acceptor(self.database, self.broker)
        self.posts = Publisher(self.database, self.broker)
        self.passing_on = PassingOn(self.posts)
        self.hints = Hints(self.broker)
        self.objects = ObjectStore(settings.artifacts)
        self.waiting, self.following = Waiting(self.database), Following(self.database)
        self.exposed = Exposed(settings.metrics, GATEWAY, looks=[self.database.look, self.broker.look])
        self._catalogue = Catalogue(self.database, self._lease_seconds)
        self._submitter = Submitter(self._catalogue, self.database, self._max_bytes)
        self._redrive = Redrive(self.database, self._catalogue, self._submitter, self.posts, self._max_bytes)
        self.redriver = Redriver(self.database, self._redrive, self._max_bytes)
        self._standing = Standing(self.database, self.waiting, self._page_size, self._trace_url)
        self._cancelling = Cancelling(self.database, self.hints)
        self._reporter = Reporter(self.database, self.broker, self._lease_seconds)
        self.doors = self._opened(access)

    def _opened(self, access: Access) -> Together:
        """The doors, HTTP and gRPC, over the same parts."""
        gateway = self._settings.gateway
        jobs = Jobs(self._standing, self.database)
        dialects = Dialects(self.database, jobs, gateway, self._max_bytes)
        parts = (*self._that_take(), jobs, *self._that_change(), *self._that_tell())
        app = _application(
            access, dialects.routes(route for part in parts for route in part.routes()), [self.waiting, self.following]
        )
        app[BODY_SECONDS], app[ARRIVING] = gateway.body_seconds, Arriving()
        self.listener = Listener(app, gateway.host, gateway.port)
        shared = Parts(
            access, self._submitter, self.acceptor, self._standing, self._cancelling, self._reporter, self._max_bytes,
            self._trace_url,
        )  # fmt: skip
        self.rpc = RpcListener(gateway, shared, [self.waiting])
        return Together([self.listener, self.rpc])

    def _that_take(self) -> Iterator[Routed]:
        """Jobs, one or thousands."""
        gateway = self._settings.gateway
        bulk = Bulk(self._submitter, self.acceptor)
        batches = Batches(self._submitter, self.database, self.passing_on, gateway.max_bulk_jobs)
        crawls = Crawls(self._submitter, self.database, self.passing_on, gateway.max_bulk_jobs)
        orders = Orders(self.database, self.posts, self.hints)
        yield Submissions(self._submitter, self.acceptor, self._max_bytes, self._trace_url)
        yield BulkSubmissions(bulk, gateway)
        yield BatchRoutes(batches, bulk, self.database, gateway)
        yield BatchActions(batches, orders, self.database)
        yield CrawlRoutes(crawls, orders, self.database, gateway)

    def _that_change(self) -> Iterator[Routed]:
        """What is there already."""
        pausing = Pausing(self.database, self.hints)
        judge = Judge(self._catalogue, self._max_bytes)
        keeper = Keeper(judge, self.database, self._settings.gateway.schedules_per_key)
        schedules = Schedules(keeper, self.database, self._page_size, self._max_bytes)
        running = Running(keeper, self._catalogue, self.database, self.posts)
        yield JobActions(self.database, self.posts, self._cancelling, self._standing)
        yield Redrives(self.database, self._redrive, self.redriver)
        yield DeadLetters(self.database, self._redrive, self._page_size, self._max_bytes, self._trace_url)
        yield schedules
        yield ScheduleActions(schedules, running, self.database)
        yield JobTypes(self.database, pausing, self._lease_seconds)
        yield Queues(self.database, self.broker, pausing, self._lease_seconds)
        yield Workers(self.database, self.hints, self._lease_seconds)

    def _that_tell(self) -> Iterator[Routed]:
        """How it stands, to programs and to people."""
        yield Why(self.database, self.broker, self._lease_seconds)
        yield Logs(self.database, self.following)
        yield Artifacts(self.database, self.objects, self._page_size)
        yield Stats(self.database, self._lease_seconds)
        yield self._reporter
        yield Description(self.database, self._lease_seconds)
        yield Docs()
        yield Dashboard()

    @property
    def services(self) -> list[Service]:
        """In the order in which they start; the last one stops first."""
        background: list[Service] = [
            self.acceptor, self.posts, self.passing_on, self.hints, self.redriver, self.waiting, self.following,
            self.objects,
        ]  # fmt: skip
        return [Spans("gateway"), self.exposed, self.database, self.broker, *background, self.doors]


def _application(access: Access, routes: Iterable[web.RouteDef], held: Sequence[Service]) -> web.Application:
    app = web.Application(middlewares=[door(access)])
    app.add_routes(
        web.RouteDef(route.method, route.path, route.handler, {**route.kwargs, "expect_handler": continue_or_refuse})
        for route in with_closed_ends(routes)
    )

    async def let_go(_: web.Application) -> None:
        for one in held:
            await one.stop()  # before the drain, which would else last as long as the longest ?wait= or ?follow=

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

    return Broker.of(stores, signature("gateway"), on_connect)
