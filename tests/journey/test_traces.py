"""One trace a job, over every hop: what a collector receives of jobs that come by every door and fail on their way.

The gateway sends over HTTP and the workers over gRPC, as two teams might have it.  When all is over no span may lack
its parent, unless that is the foreign caller's.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from tests.collector import Collector, Seen, collecting
from tests.conftest import Places
from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.rabbit import Rabbit
from tests.journey.stack import Stack
from tests.room.gateway.calling import SERVICE, calling, proto

FOREIGN = "00f067aa0ba902b7"  # the span of a caller who sends its own spans elsewhere
WAIT, LADDER, PUBLISH, PROCESS, RECORD = (
    "wait in the queue", "wait in the ladder", "publish flaky", "process flaky", "record",
)  # fmt: skip
KINDS = {WAIT: "internal", LADDER: "internal", PUBLISH: "producer", PROCESS: "consumer", RECORD: "client"}
ATTEMPT = [WAIT, PROCESS, RECORD]
AGAIN = [PUBLISH, LADDER, *ATTEMPT]
TWO_FAILURES = {"type": "flaky", "payload": {"times": 2}}
MANY = 50


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as one:
        yield one


@pytest.fixture(scope="module")
def stack(places: Places, collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All processes; at the end every span has its parent."""
    folder = tmp_path_factory.mktemp("traced")
    http = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.http_url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    grpc = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.grpc_url, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    one = Stack(places.amqp_url, places.database_url, folder, WARREN_ACTORS="journey_jobs,traced_jobs", **http)
    try:
        for name, module in (("recorder", "persistence"), ("scheduler", "scheduler"), ("gateway", "gateway")):
            one.start(name, module)
        one.workers(processes=1, **grpc)
        one.wait_until(lambda: one.ready() and one.consuming(1), "it is ready")
        yield one
    finally:
        codes = one.stop_all()

    assert {0} == set(codes.values()), codes
    assert [] == collector.orphans(frozenset({FOREIGN}))
    assert {"grpc", "http /v1/traces"} == set(collector.requests)


@pytest.fixture
def rabbit(places: Places) -> Rabbit:
    return Rabbit(places.amqp_url, places.management_url, places.vhost)


async def told(collector: Collector, trace_id: str, jobs: int = 1) -> list[Seen]:
    """The spans of a trace, in the order of time, once those of so many completed jobs have arrived."""

    def whole() -> bool:
        spans = collector.of_trace(trace_id)
        known = {FOREIGN, "", *(span.span_id for span in spans)}
        done = {span.job_id for span in spans if span.attributes.get("warren.job.state") == "completed"}
        return len(done) == jobs and all(map(_recorded, _by_job(spans))) and all(s.parent_id in known for s in spans)

    await eventually(whole)
    return collector.of_trace(trace_id)


def _by_job(spans: list[Seen]) -> list[list[Seen]]:
    return [[span for span in spans if span.job_id == job_id] for job_id in {s.job_id for s in spans if s.job_id}]


def _recorded(spans: list[Seen]) -> bool:
    names = [span.name.partition(" ")[0] for span in spans]
    return names.count("process") == names.count("record")


def steps(spans: list[Seen], job_id: str) -> list[str]:
    """What happened to a job, in the order of time."""
    return [span.name for span in spans if span.job_id == job_id]


def named(spans: list[Seen], name: str) -> list[Seen]:
    return [span for span in spans if span.name == name]


async def test_a_job_by_http(api: Api, collector: Collector) -> None:
    """
    The request, and beneath it a publish for each attempt, and beneath that its waits, what ran, and its record.
    """
    job = await api.finished(await api.submit("flaky", {"times": 2}))
    spans = await told(collector, job["trace_id"])
    (server,) = named(spans, "POST /api/v1/jobs")
    publishes, processes = named(spans, PUBLISH), named(spans, PROCESS)
    last = processes[-1].attributes

    assert ("server", "", "warren-gateway", 202, "/api/v1/jobs") == (
        server.kind, server.parent_id, server.service, server.attributes["http.response.status_code"],
        server.attributes["http.route"],
    )  # fmt: skip
    assert [PUBLISH, *ATTEMPT, *AGAIN, *AGAIN] == steps(spans, job["id"])
    assert KINDS | {server.name: "server"} == {span.name: span.kind for span in spans}
    assert [server.span_id] * 3 == [span.parent_id for span in publishes]
    for publish, span in zip(publishes, processes, strict=True):
        beneath = [one for one in spans if one.parent_id == publish.span_id]
        assert {WAIT, PROCESS, RECORD} <= {one.name for one in beneath} <= {LADDER, WAIT, PROCESS, RECORD}
        assert publish.began <= min(one.began for one in beneath)
        assert span in beneath
    assert ["retry", "retry", "completed"] == [span.attributes["warren.attempt.outcome"] for span in processes]
    assert [1, 2, 3] == [span.attributes["warren.job.attempt"] for span in processes]
    assert (job["id"], "flaky", "default", 5, "completed", "rabbitmq", "process") == tuple(
        last[name] for name in ("warren.job.id", "warren.job.type", "warren.job.queue", "warren.job.priority",
                                "warren.job.state", "messaging.system", "messaging.operation.type")
    )  # fmt: skip


async def test_a_job_by_grpc(api: Api, stack: Stack, collector: Collector) -> None:
    """
    The call is a span of the caller's trace, and the job is beneath it.
    """
    trace_id = uuid.uuid4().hex
    async with calling(stack.grpc_port) as caller:
        request = proto.SubmitJobRequest(job_type="flaky", payload='{"times": 0}')
        parent = ("traceparent", f"00-{trace_id}-{FOREIGN}-01")
        job_id = (await caller.stub.SubmitJob(request, metadata=(parent,), timeout=30)).job_id
    await api.finished(job_id)
    spans = await told(collector, trace_id)
    (server,), (publish,) = named(spans, f"{SERVICE}/SubmitJob"), named(spans, PUBLISH)

    assert [PUBLISH, *ATTEMPT] == steps(spans, job_id)
    assert ("server", FOREIGN, "warren-gateway", server.span_id) == (
        server.kind, server.parent_id, server.service, publish.parent_id,
    )  # fmt: skip
    assert ("grpc", f"{SERVICE}/SubmitJob", "OK") == tuple(
        server.attributes[name] for name in ("rpc.system.name", "rpc.method", "rpc.response.status_code")
    )


async def test_an_error_has_its_type_and_its_words(api: Api, collector: Collector) -> None:
    job = await api.finished(await api.submit("flaky", {"times": 1}))
    failed, completed = named(await told(collector, job["trace_id"]), PROCESS)
    words = f"attempt 1 in {job['trace_id']}"

    assert ("ConnectionError", words) == (failed.attributes["error.type"], failed.failed)
    assert (("exception", {"exception.type": "ConnectionError", "exception.message": words}),) == failed.events
    assert (None, ()) == (completed.failed, completed.events)


@pytest.mark.parametrize("brings", [True, False], ids=["with a trace", "without"])
async def test_a_job_by_amqp(api: Api, rabbit: Rabbit, collector: Collector, brings: bool) -> None:
    """
    Its first attempt goes on where the publisher was, or begins with its wait: nobody knows of its publish.
    """
    job_id, trace_id = str(uuid.uuid4()), uuid.uuid4().hex
    headers = {"traceparent": f"00-{trace_id}-{FOREIGN}-01", "tracestate": "shop=1", "baggage": "user=7"}
    properties: dict[str, Any] = {"headers": headers} if brings else {}
    body = json.dumps(TWO_FAILURES).encode()
    await rabbit.publish(
        "jobs.in", "job.flaky.p5", body, content_type="application/json", message_id=job_id, **properties
    )
    job = await api.finished(await api.born(job_id))
    spans = await told(collector, job["trace_id"])
    (first, *_), processes = named(spans, WAIT), named(spans, PROCESS)
    root = FOREIGN if brings else first.span_id

    assert [*ATTEMPT, *AGAIN, *AGAIN] == steps(spans, job_id)
    assert (trace_id if brings else first.trace_id) == job["trace_id"]
    assert (FOREIGN if brings else "") == first.parent_id
    assert [root] * 3 == [processes[0].parent_id, *(span.parent_id for span in named(spans, PUBLISH))]
    assert {"shop=1" if brings else ""} == {span.state for span in processes}


@pytest.mark.parametrize("brings", [True, False], ids=["with a trace", "without"])
async def test_a_job_by_sql(api: Api, stack: Stack, collector: Collector, brings: bool) -> None:
    """
    The scheduler publishes it, beneath the caller, or as the root of its trace.
    """
    trace_id = uuid.uuid4().hex
    parent = f"00-{trace_id}-{FOREIGN}-01" if brings else None
    caller = await asyncpg.connect(stack.database_url)
    payload = json.dumps(TWO_FAILURES["payload"])
    job_id = str(await caller.fetchval("SELECT warren.submit('flaky', $1, traceparent => $2)", payload, parent))
    await caller.close()
    job = await api.finished(job_id)
    spans = await told(collector, job["trace_id"])
    publishes = named(spans, PUBLISH)

    assert [PUBLISH, *ATTEMPT, *AGAIN, *AGAIN] == steps(spans, job_id)
    assert ["warren-scheduler", "warren-worker", "warren-worker"] == [span.service for span in publishes]
    assert (FOREIGN if brings else "") == publishes[0].parent_id
    assert {publishes[0].parent_id or publishes[0].span_id} == {span.parent_id for span in publishes[1:]}


async def test_a_child_is_of_the_attempt_that_submits_it(api: Api, collector: Collector) -> None:
    job = await api.finished(await api.submit("fatherly"))
    spans = await told(collector, job["trace_id"], jobs=3)
    (father,) = named(spans, "process fatherly")

    assert [father.span_id] * 2 == [span.parent_id for span in named(spans, "publish echo")]


async def test_jobs_in_bulk_link_to_their_request(api: Api, collector: Collector) -> None:
    """
    Each has a trace of its own, also when the caller brings one: ten thousand jobs are no tree to look at.
    """
    trace_id = uuid.uuid4().hex
    echo = {"type": "echo", "payload": {}}
    answer = await api.client.post(
        "/api/v1/jobs/bulk", json=[echo, echo], headers={"traceparent": f"00-{trace_id}-{FOREIGN}-01"}
    )
    jobs = await api.all_finished(*(item["id"] for item in answer.json()["items"]))
    traces = [await told(collector, job["trace_id"]) for job in jobs]
    (server,) = await eventually(lambda: collector.of_trace(trace_id))

    assert 3 == len({trace_id, *(job["trace_id"] for job in jobs)})
    for spans in traces:
        (publish,) = named(spans, "publish echo")
        assert ("", ((trace_id, server.span_id),)) == (publish.parent_id, publish.links)


async def test_what_is_sent_again_by_hand_links_to_the_original(api: Api, collector: Collector) -> None:
    """
    A job that failed goes on in the trace of the request that sent it again.
    """
    before = await api.finished(await api.submit("flaky", {"times": 1}, max_retries=0))
    await api.client.post(f"/api/v1/jobs/{before['id']}/retry")
    after = await api.finished(before["id"])
    (publish,) = await eventually(lambda: named(collector.of_trace(after["trace_id"]), PUBLISH))
    (original,) = await eventually(lambda: named(collector.of_trace(before["trace_id"]), "POST /api/v1/jobs"))

    assert before["trace_id"] != after["trace_id"]
    assert ((before["trace_id"], original.span_id),) == publish.links


async def test_what_is_redriven_links_to_the_original(api: Api, rabbit: Rabbit, collector: Collector) -> None:
    trace_id, job_id = uuid.uuid4().hex, str(uuid.uuid4())
    headers = {"traceparent": f"00-{trace_id}-{FOREIGN}-01"}
    properties = {"content_type": "application/json", "message_id": job_id, "headers": headers}
    await rabbit.publish("jobs.in", "job.echo.p5", b'{"type": "echo"}', **properties)

    async def letters() -> list[dict[str, Any]]:
        return list((await api.get("/api/v1/dead-letters"))["items"])

    (letter,) = await eventually(letters)
    answer = await api.client.post(f"/api/v1/dead-letters/{letter['id']}/redrive", json={"type": "echo", "payload": {}})
    job = await api.finished(answer.json()["id"])
    (publish,) = named(await told(collector, job["trace_id"]), "publish echo")

    assert trace_id != job["trace_id"]
    assert ((trace_id, FOREIGN),) == publish.links


async def test_baggage_comes_along_through_the_ladder(api: Api, collector: Collector) -> None:
    """
    What an actor adds to its span itself is told, too.
    """
    job = {"type": "burdened", "payload": {}}
    trace_id = uuid.uuid4().hex
    headers = {"traceparent": f"00-{trace_id}-{FOREIGN}-01", "baggage": "user=7,shop=a"}
    accepted = (await api.client.post("/api/v1/jobs", json=job, headers=headers)).json()
    done = await api.finished(accepted["id"])
    *_, process = named(await told(collector, trace_id), "process burdened")

    assert {"user": "7", "shop": "a"} == done["result"]
    assert (("arrived", {"attempt": 2}),) == process.events


async def test_statements_link_to_the_jobs_that_they_served(api: Api, collector: Collector) -> None:
    job = await api.finished(await api.submit("echo"))
    spans = await told(collector, job["trace_id"])
    (server, publish, process, record) = (
        named(spans, name)[0] for name in ("POST /api/v1/jobs", "publish echo", "process echo", "record")
    )
    (claim,) = await eventually(lambda: _linked(collector, process))
    (recording,) = await eventually(lambda: _linked(collector, record))
    (accept,) = await eventually(
        lambda: [one for one in collector.spans if one.name == "accept" and _link(server) in one.links]
    )

    assert (("claim", (_link(publish),)), ("record", (_link(process),))) == (
        (claim.name, claim.links), (recording.name, recording.links),
    )  # fmt: skip
    assert {("", "client", "postgresql")} == {
        (one.parent_id, one.kind, one.attributes["db.system.name"]) for one in (accept, claim, recording)
    }


def _linked(collector: Collector, span: Seen) -> list[Seen]:
    """To whom it links, once they have arrived: they are of other traces, which are sent when they are."""
    found = [one for one in collector.spans if _link(one) in span.links]
    return found if len(found) == len(span.links) else []


@pytest.mark.parametrize("job_type", ["curious", "curious_sync"])
async def test_no_job_gets_into_the_trace_of_another(
    api: Api, stack: Stack, collector: Collector, job_type: str
) -> None:
    """
    Many at a time on one loop, or on the threads: what each records itself, and whom it asks, is of its own trace.
    """
    where = {"url": f"{stack.url}/api/v1/job-types", "seconds": 0.1}
    ids = await asyncio.gather(*(api.submit(job_type, where) for _ in range(MANY)))
    jobs = await api.all_finished(*ids)
    traces = {job["id"]: await told(collector, job["trace_id"]) for job in jobs}
    asked = 2 if job_type == "curious" else 1

    assert [job["trace_id"] for job in jobs] == [job["result"] for job in jobs]
    for job_id, spans in traces.items():
        *earlier, process = named(spans, f"process {job_type}")  # one that found no thread was given back
        calls = [span for span in spans if span.kind == "client" and span.name == "GET"]
        parents = Counter(span.parent_id for span in calls)
        assert asked == parents.pop(process.span_id)
        assert set(parents) <= {one.span_id for one in earlier}  # whose answers a laden gateway kept for too long
        assert {job_id} == {_asked(span).rpartition("job=")[2] for span in calls}
        assert job_id == process.attributes.get("asked", job_id)


def _asked(call: Seen) -> str:
    """The address, under its newer name or its older one."""
    return str(call.attributes.get("url.full") or call.attributes.get("http.url"))


def _link(span: Seen) -> tuple[str, str]:
    return span.trace_id, span.span_id


async def test_a_run_of_a_schedule(api: Api, collector: Collector) -> None:
    """
    It begins with the clock: a span from its moment until the job is in Postgres, and beneath it the job as any other.
    """
    said = {"name": "traced", "job_type": "flaky", "payload": {"times": 0}, "interval_seconds": 1, "max_runs": 1}
    schedule = (await api.client.post("/api/v1/schedules", json=said)).json()
    job_id = await eventually(lambda: _job_of(api, schedule["id"]))
    spans = await told(collector, (await api.finished(job_id))["trace_id"])
    (root,), (publish,) = named(spans, "schedule flaky"), named(spans, PUBLISH)

    assert ["schedule flaky", PUBLISH, *ATTEMPT] == steps(spans, job_id)
    assert ("internal", "", "warren-scheduler", schedule["id"], "due") == (
        root.kind, root.parent_id, root.service, root.attributes["warren.schedule.id"],
        root.attributes["warren.schedule.kind"],
    )  # fmt: skip
    assert ("warren-scheduler", root.span_id) == (publish.service, publish.parent_id)
    assert root.began <= publish.began


async def _job_of(api: Api, schedule_id: str) -> str | None:
    runs = (await api.get(f"/api/v1/schedules/{schedule_id}/runs"))["items"]
    return runs[0]["job_id"] if runs else None
