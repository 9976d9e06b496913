"""The routes and their description know the same."""

from __future__ import annotations

from gateway.app import Room
from gateway.entrance.access import PAGES, PROBES
from gateway.openapi.dialects import described as of_dialects
from gateway.openapi.operations import OPERATIONS
from wire.settings import Artifacts, Gateway, Limits, Logs, Metrics, Scheduler, Settings, Stores, Worker


async def test_every_route_is_described_and_every_description_is_a_route() -> None:
    described = {(operation.method.upper(), operation.path) for operation in (*OPERATIONS, *of_dialects(OPERATIONS))}
    routes = {
        (route.method, route.resource.canonical)
        for route in _room().listener._runner.app.router.routes()
        if route.resource and route.method not in {"HEAD", "*"}
    }

    assert described == routes


def test_what_needs_no_key_is_described_so() -> None:
    open_paths = {operation.path for operation in OPERATIONS if operation.open}

    assert open_paths == (PAGES | PROBES) - {"/metrics"}


def _room() -> Room:
    settings = Settings()
    settings.metrics, settings.artifacts = Metrics(), Artifacts()
    settings.stores = Stores(amqp_url="amqp://h/", database_url="postgresql://h/d")  # type: ignore[arg-type]
    settings.limits, settings.worker, settings.scheduler, settings.logs = Limits(), Worker(), Scheduler(), Logs()
    settings.gateway = Gateway(port=0)  # type: ignore[call-arg]
    return Room(settings)
