"""Put the room together: the services in the order in which they start, and the routes over them.

Starting waits for nobody: with both stores away the gateway is up, live and not ready, and answers 503.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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


class Room:
    """All parts of one gateway, wired; nothing has started yet."""

    def __init__(self, settings: Settings) -> None:
        access = Access(settings.gateway)
        max_bytes, page_size = settings.limits.max_body_bytes, settings.gateway.page_size
        lease_seconds, trace_url = settings.worker.lease_seconds, settings.gateway.trace_url_template
        self.database = Database.of(settings.stores, signature("gateway"))
        self.broker = _broker(settings.stores, self.database)
        self.acceptor = Acceptor(self.database, self.broker)
        self.posts = Publisher(self.database, self.broker)
        self.passing_on = PassingOn(self.posts)
        self.hints = Hints(self.broker)
        self.objects = ObjectStore(settings.artifacts)
        self.waiting, self.following = Waiting(self.database), Following(self.database)
        self.exposed = Exposed(settings.metrics, GATEWAY, looks=[self.database.look, self.broker.look])
        catalogue = Catalogue(self.database, lease_seconds)
        submitter = Submitter(catalogue, self.database, max_bytes)
        redrive = Redrive(self.database, catalogue, submitter, self.posts, max_bytes)
        self.redriver = Redriver(self.database, redrive, max_bytes)
        standing = Standing(self.database, self.waiting, page_size, trace_url)
        cancelling = Cancelling(self.database, self.hints)
        jobs = Jobs(standing, self.database)
        pausing = Pausing(self.database, self.hints)
        bulk = Bulk(submitter, self.acceptor)
        batches = Batches(submitter, self.database, self.passing_on, settings.gateway.max_bulk_jobs)
        orders = Orders(self.database, self.posts, self.hints)
        crawls = Crawls(submitter, self.database, self.passing_on, settings.gateway.max_bulk_jobs)
        reporter = Reporter(self.database, self.broker, lease_seconds)
        keeper = Keeper(Judge(catalogue, max_bytes), self.database, settings.gateway.schedules_per_key)
        schedules = Schedules(keeper, self.database, page_size, max_bytes)
        routes = (
            Submissions(submitter, self.acceptor, max_bytes, trace_url).routes(),
            BulkSubmissions(bulk, settings.gateway).routes(),
            BatchRoutes(batches, bulk, self.database, settings.gateway).routes(),
            BatchActions(batches, orders, self.database).routes(),
            CrawlRoutes(crawls, orders, self.database, settings.gateway).routes(),
            jobs.routes(),
            Why(self.database, self.broker, lease_seconds).routes(),
            Logs(self.database, self.following).routes(),
            Artifacts(self.database, self.objects, page_size).routes(),
            JobActions(self.database, self.posts, cancelling, standing).routes(),
            Redrives(self.database, redrive, self.redriver).routes(),
            DeadLetters(self.database, redrive, page_size, max_bytes, trace_url).routes(),
            schedules.routes(),
            ScheduleActions(schedules, Running(keeper, catalogue, self.database, self.posts), self.database).routes(),
            JobTypes(self.database, pausing, lease_seconds).routes(),
            Stats(self.database, lease_seconds).routes(),
            Queues(self.database, self.broker, pausing, lease_seconds).routes(),
            Workers(self.database, self.hints, lease_seconds).routes(),
            reporter.routes(),
            Description(self.database, lease_seconds).routes(),
            Docs().routes(),
            Dashboard().routes(),
        )
        dialects = Dialects(self.database, jobs, settings.gateway, max_bytes)
        app = _application(
            access, dialects.routes(route for part in routes for route in part), [self.waiting, self.following]
        )
        app[BODY_SECONDS], app[ARRIVING] = settings.gateway.body_seconds, Arriving()
        self.listener = Listener(app, settings.gateway.host, settings.gateway.port)

        parts = Parts(access, submitter, self.acceptor, standing, cancelling, reporter, max_bytes, trace_url)
        self.rpc = RpcListener(settings.gateway, parts, [self.waiting])
        self.doors = Together([self.listener, self.rpc])

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
