"""Who may come in: host names, origins, API keys, and what refuses to start."""

from __future__ import annotations

import pytest
from aiohttp import hdrs

from gateway.app import Room
from tests.room.gateway.running import ECHO, JOBS, Running, gateway, settings_for
from wire.errors import SettingsError
from wire.settings import Stores

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC = [
    "/", "/dashboard", "/dashboard/assets/board.js", "/docs", "/redoc", "/problems", "/openapi.json", "/health/live",
    "/docs/assets/start.js",
]  # fmt: skip


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:80", "[::1]:8000", "localhost."])
async def test_our_own_host_names_are_answered(running: Running, host: str) -> None:
    async with running.client.get(JOBS, headers={hdrs.HOST: host}) as response:
        assert 200 == response.status


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "10.0.0.1", "", "[x"])
async def test_a_foreign_host_name_is_refused(running: Running, host: str) -> None:
    """
    A name that was rebound to loopback must not let a web page read or send anything.
    """
    async with running.client.get(JOBS, headers={hdrs.HOST: host}) as response:
        problem = await response.json(content_type=None)

    assert (421, "Host") == (response.status, problem["field"])
    assert "WARREN_ALLOWED_HOSTS" in problem["remedy"]


async def test_health_is_answered_under_any_name(running: Running) -> None:
    async with running.client.get("/health/ready", headers={hdrs.HOST: "pod-7.example"}) as response:
        assert 200 == response.status


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://"])
async def test_a_page_of_another_site_changes_nothing(running: Running, origin: str) -> None:
    async with running.client.post(JOBS, json=ECHO, headers={hdrs.ORIGIN: origin}) as response:
        problem = await response.json(content_type=None)

    assert (403, "Origin") == (response.status, problem["field"])


@pytest.mark.parametrize("site", [None, "same-site", "cross-site", "none"])
@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost:1", "127.0.0.1", "[::1]:1", "[x"])
async def test_a_page_of_another_program_on_this_machine_changes_nothing(
    running: Running, host: str, site: str | None
) -> None:
    """
    A cancel has no body: no Content-Type would betray it, and no preflight comes before it.
    """
    job = await running.submit(ECHO)
    headers = {hdrs.ORIGIN: f"http://{host}", **({"Sec-Fetch-Site": site} if site else {})}
    async with running.client.post(f"{JOBS}/{job['id']}/cancel", headers=headers) as response:
        problem = await response.json(content_type=None)

    assert (403, "Origin") == (response.status, problem["field"])
    assert "queued" == (await running.get(f"{JOBS}/{job['id']}"))["state"]


async def test_our_own_page_may_submit(running: Running) -> None:
    await running.submit(ECHO, Origin=f"http://127.0.0.1:{running.port}")


async def test_our_own_page_may_submit_through_a_proxy_that_changes_the_host(running: Running) -> None:
    """
    The browser says that the page is of the address it asked; `Host` is the proxy's.
    """
    await running.submit(ECHO, Origin="http://localhost:5173", Sec_Fetch_Site="same-origin")


async def test_a_page_of_a_named_host_may_submit_from_any_port(stores: Stores) -> None:
    async with gateway(stores, allowed_hosts="jobs.example") as one:
        await one.submit(ECHO, Origin="https://jobs.example:8443", Sec_Fetch_Site="same-site")


async def test_no_answer_lets_another_site_read_it(running: Running) -> None:
    async with running.client.get(JOBS, headers={hdrs.ORIGIN: "https://evil.example"}) as response:
        assert hdrs.ACCESS_CONTROL_ALLOW_ORIGIN not in response.headers


async def test_named_hosts_are_answered(stores: Stores) -> None:
    headers = {hdrs.HOST: "jobs.example:8443"}
    async with (
        gateway(stores, allowed_hosts="jobs.example, other.example") as one,
        one.client.get(JOBS, headers=headers) as response,
    ):
        assert 200 == response.status


async def test_keys_are_asked_for(stores: Stores) -> None:
    async with gateway(stores, api_keys="first-key,second-key") as one:
        for headers in ({}, {"X-API-Key": "wrong"}, {"Authorization": "Basic Zm9v"}, {"X-API-Key": "é"}):
            async with one.client.get(JOBS, headers=headers) as response:
                problem = await response.json(content_type=None)
                assert (401, "Bearer") == (response.status, response.headers["WWW-Authenticate"])
                assert "WARREN_API_KEYS" in problem["remedy"]
        for headers in ({"X-API-Key": "first-key"}, {"Authorization": "bearer second-key"}):
            async with one.client.get(JOBS, headers=headers) as response:
                assert 200 == response.status


async def test_an_unknown_route_tells_nothing_without_a_key(stores: Stores) -> None:
    async with gateway(stores, api_keys="k") as one, one.client.get("/api/v1/secrets") as response:
        assert 401 == response.status


async def test_pages_and_probes_need_no_key(stores: Stores) -> None:
    async with gateway(stores, api_keys="k") as one:
        statuses = [(await one.client.get(path, allow_redirects=False)).status for path in PUBLIC]

    assert [302, *[200] * (len(PUBLIC) - 1)] == statuses


async def test_the_description_lists_payloads_only_to_callers(stores: Stores) -> None:
    async with gateway(stores, api_keys="k") as one:
        stranger = await one.get("/openapi.json")
        async with one.client.get("/openapi.json", headers={"X-API-Key": "k"}) as response:
            caller = await response.json()

    assert "payload.echo" not in stranger["components"]["schemas"]
    assert "payload.echo" in caller["components"]["schemas"]


async def test_a_key_s_idempotency_keys_are_its_own(stores: Stores) -> None:
    """
    Two tenants may use the same word for different jobs.
    """
    async with gateway(stores, api_keys="a,b") as one:
        jobs = [await one.submit(ECHO, Idempotency_Key="word", X_API_Key=key) for key in ("a", "b", "a")]

    assert jobs[0]["id"] == jobs[2]["id"] != jobs[1]["id"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "gateway"])
async def test_beyond_loopback_it_refuses_to_start_unguarded(stores: Stores, host: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Room(settings_for(stores, host=host))

    assert "WARREN_API_KEYS" in str(refused.value)
    assert "WARREN_TRUST_LOCAL_NETWORK" in str(refused.value)


@pytest.mark.parametrize("guard", [{"api_keys": "k"}, {"trust_local_network": True}])
async def test_beyond_loopback_it_starts_with_a_guard(stores: Stores, guard: dict[str, object]) -> None:
    Room(settings_for(stores, host="0.0.0.0", **guard))


async def test_any_host_needs_keys(stores: Stores) -> None:
    with pytest.raises(SettingsError, match="WARREN_API_KEYS"):
        Room(settings_for(stores, allowed_hosts="*"))


async def test_any_host_with_keys(stores: Stores) -> None:
    async with gateway(stores, allowed_hosts="*", api_keys="k") as one:
        headers = {hdrs.HOST: "anything.example", "X-API-Key": "k"}
        async with one.client.get(JOBS, headers=headers) as response:
            assert 200 == response.status
