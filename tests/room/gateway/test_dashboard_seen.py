"""The dashboard in a real browser: what strangers wrote stays text, a key is asked for once, no foreign page presses.

A browser is no part of a new machine: where there is none these tests are skipped, and the files alone are looked at
(`test_dashboard.py` here and in tests/unit/gateway).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp import web

from tests.chromium import PROGRAM, Tab, chromium
from tests.room.gateway.running import JOBS, Running, gateway
from tests.room.gateway.test_stats import worker
from wire.settings import Stores

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed"),
]

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
SAYS = "document.body.innerText"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tab]:
    async with chromium(tmp_path_factory.mktemp("chromium")) as one:
        yield one


def dashboard(running: Running, view: str = "/") -> str:
    return f"http://127.0.0.1:{running.port}/dashboard#{view}"


async def failed(running: Running, words: str) -> str:
    """A job that says these words wherever it can."""
    job = await running.submit({"type": "anything", "payload": {"said": words, words: 1}, "tags": [words]})
    await running.sql(
        "UPDATE warren.jobs SET state = 'failed', reason = 'exhausted', error_type = 'E', error_message = $2, "
        "started_at = now(), finished_at = now(), attempt = 1 WHERE id = $1",
        job["id"], words,
    )  # fmt: skip
    await running.sql(
        "INSERT INTO warren.attempts (job_id, lease, run, attempt, outcome, worker, started_at, finished_at, "
        "error_type, error_message, traceback) VALUES ($1, 1, 1, 1, 'failed', $2, now(), now(), 'E', $2, $2)",
        job["id"], words,
    )  # fmt: skip
    return str(job["id"])


async def is_text_alone(tab: Tab) -> bool:
    """Nothing of the hostile words became a node, and none of them ran."""
    foreign = await tab.ask("document.querySelectorAll('main img, main script, [onerror]').length")
    return (foreign, await tab.ask("document.title === 'owned'")) == (0, False)


@pytest.mark.parametrize("view", ["/jobs?state=failed", "/jobs/{id}", "/jobs?tag={tag}"])
async def test_what_strangers_wrote_in_a_job_is_shown_as_text(running: Running, tab: Tab, view: str) -> None:
    words = f"{HOSTILE}{uuid4().hex[:6]}"
    job_id = await failed(running, words)
    tab.complaints.clear()
    await tab.open("about:blank")
    await tab.open(
        dashboard(running, view.format(id=job_id, tag=await tab.ask(f"encodeURIComponent({json.dumps(words)})")))
    )
    await tab.comes_true(f"{SAYS}.includes({json.dumps(words[:30])})")

    assert await is_text_alone(tab)
    assert [] == tab.complaints  # the policy had nothing to refuse either


async def test_what_strangers_wrote_in_a_dead_letter_is_shown_as_text(running: Running, tab: Tab) -> None:
    found = await running.sql(
        "INSERT INTO warren.dead_letters (message_id, body, body_hash, headers, exchange, routing_key, queue, reason, "
        "detail, fingerprint, type) VALUES ($1, $2, '', '{}', $1, $1, 'dead', 'malformed', $1, 'f1', $1) RETURNING id",
        HOSTILE, HOSTILE.encode(),
    )  # fmt: skip
    for view in ("/dead-letters", "/dead-letters/list?fingerprint=f1", f"/dead-letters/{found[0]['id']}", "/"):
        await tab.open("about:blank")
        await tab.open(dashboard(running, view))
        await tab.comes_true(f"{SAYS}.includes({json.dumps('malformed' if view == '/' else HOSTILE[:30])})")

        assert await is_text_alone(tab), view


async def test_a_number_is_shown_with_all_its_digits(running: Running, tab: Tab) -> None:
    body = b'{"type": "anything", "payload": {"n": 12345678901234567890, "price": 1.10}}'
    async with running.client.post(JOBS, data=body, headers={"Content-Type": "application/json"}) as response:
        job = await response.json()
    await tab.open("about:blank")
    await tab.open(dashboard(running, f"/jobs/{job['id']}"))

    await tab.shows("12345678901234567890")
    await tab.shows("1.10")


async def test_a_job_took_as_long_on_its_page_as_in_the_list_and_ran_as_long_as_its_attempt(
    running: Running, tab: Tab
) -> None:
    """
    From the claim to the end it took 4 ms, of which the function had one.
    """
    tag = uuid4().hex
    job = await running.submit({"type": "anything", "payload": {}, "tags": [tag]})
    await running.sql(
        "WITH ended AS (UPDATE warren.jobs SET state = 'completed', result = 'null', attempt = 1, lease = 1, "
        "started_at = created_at + interval '1 ms', finished_at = created_at + interval '5 ms' "
        "WHERE id = $1 RETURNING *) "
        "INSERT INTO warren.attempts (job_id, lease, run, attempt, outcome, worker, started_at, finished_at) "
        "SELECT id, 1, 1, 1, 'completed', 'w', started_at + interval '3 ms', finished_at FROM ended",
        job["id"],
    )
    await tab.open("about:blank")
    await tab.open(dashboard(running, f"/jobs?tag={tag}"))
    await tab.shows("took 4 ms")
    await tab.open(dashboard(running, f"/jobs/{job['id']}"))
    await tab.shows("4 ms, the claim included")
    await tab.shows("ran 1 ms")
    words = "[...document.querySelectorAll('table th, table td')].map(one => one.textContent)"
    shown = [word for word in await tab.ask(words) if word in ("Took", "Ran") or word.endswith(" ms")]

    assert ["Ran", "1 ms"] == shown


@pytest.mark.parametrize("name", ["%", "nonsense", "..%2F..%2Fqueues", "00000000-0000-0000-0000-000000000000"])
async def test_an_address_that_leads_nowhere_says_so(running: Running, tab: Tab, name: str) -> None:
    await tab.open("about:blank")
    await tab.open(dashboard(running, f"/jobs/{name}"))

    await tab.shows("To the overview")


async def test_a_job_is_cancelled_sent_again_and_deleted_by_its_buttons(running: Running, tab: Tab) -> None:
    job = await running.submit()
    await tab.open("about:blank")
    await tab.open(dashboard(running, f"/jobs/{job['id']}"))
    for button, sure, state in (("Cancel", "Cancel it", "cancelled"), ("Retry", "Send it again", "queued"),
                                ("Cancel", "Cancel it", "cancelled")):  # fmt: skip
        await tab.press(button)
        await tab.press(sure, within="dialog")
        await tab.comes_true(f"document.querySelector('h1 .badge').textContent === '{state}'")
        assert state == (await running.get(f"{JOBS}/{job['id']}"))["state"]
    await tab.press("Delete")
    await tab.press("Delete it", within="dialog")
    await tab.comes_true("location.hash === '#/jobs'")

    await running.get(f"{JOBS}/{job['id']}", status=404)
    await tab.ask("history.back()")
    await tab.shows("It is not here")


async def test_a_queue_is_paused_with_its_reason_and_goes_on(running: Running, tab: Tab) -> None:
    await worker(running, f"w:{uuid4().hex[:6]}")
    await tab.open("about:blank")
    await tab.open(dashboard(running, "/queues"))
    await tab.press("Pause")
    await tab.ask(f"document.getElementById('note').value = {json.dumps(HOSTILE)}")
    await tab.press("Pause it", within="dialog")
    await tab.shows(HOSTILE)
    paused = [queue for queue in (await running.get("/api/v1/queues"))["items"] if queue["paused"]]

    assert [HOSTILE] == [queue["paused"]["note"] for queue in paused]
    assert await is_text_alone(tab)
    await tab.press("Resume")
    await tab.press("Resume it", within="dialog")
    await tab.comes_true(f"!{SAYS}.includes('paused')")


async def test_a_key_is_asked_for_and_held_for_the_tab_alone(stores: Stores, tab: Tab) -> None:
    """
    It goes out in a header: no address that the browser asked for holds it.
    """
    async with gateway(stores, api_keys="the-key") as one:
        await one.submit(X_API_Key="the-key")  # a list that has a row has a head
        await tab.open("about:blank")
        await tab.open(dashboard(one, "/jobs"))
        await tab.shows("An API key, please")
        for key, sentence in (("wrong", "this API key is not known"), ("the-key", "How it stands")):
            await tab.ask(f"document.getElementById('api-key').value = '{key}'")
            await tab.press("Go on")
            await tab.comes_true(f"document.body.textContent.includes({json.dumps(sentence)})")
        addresses = await tab.ask(
            "performance.getEntriesByType('resource').map(one => one.name).join() + location.href"
        )
        await tab.open("about:blank")
        await tab.open(dashboard(one, "/workers"))
        await tab.shows("Workers")

        assert "the-key" not in addresses
        assert (1, 0, "") == tuple(await tab.ask("[sessionStorage.length, localStorage.length, document.cookie]"))
        await tab.press("Forget the API key", within="footer")
        await tab.shows("An API key, please")


async def test_a_gateway_that_is_away_is_said_to_be_and_looked_for_again(stores: Stores, tab: Tab) -> None:
    async with gateway(stores) as one:
        port = one.port
        await tab.open("about:blank")
        await tab.open(dashboard(one, "/"))
        await tab.comes_true("document.getElementById('standing').textContent === 'Live'")
    await tab.shows("The gateway does not answer; next try in")
    async with gateway(stores, port=port):
        await tab.comes_true("document.getElementById('away').hidden")
    tab.complaints.clear()  # of connections that were refused


async def test_a_page_of_another_program_on_this_machine_presses_no_button(running: Running, tab: Tab) -> None:
    """
    A cancel has no body and asks for no preflight: any page could send one, and needs no answer.
    """
    job = await running.submit()
    address = f"http://127.0.0.1:{running.port}{JOBS}/{job['id']}/cancel"
    script = (
        f"fetch({json.dumps(address)}, {{method: 'POST', mode: 'no-cors'}}).finally(() => document.title = 'pressed')"
    )

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=f"<title>…</title><script>{script}</script>", content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/", page)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        await tab.open(f"http://127.0.0.1:{runner.addresses[0][1]}/")
        await tab.comes_true("document.title === 'pressed'")
    finally:
        await runner.cleanup()

    assert "queued" == (await running.get(f"{JOBS}/{job['id']}"))["state"]
