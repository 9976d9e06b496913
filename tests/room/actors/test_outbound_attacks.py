"""No URL leads a job to where it may not be: each is tried by itself, as a redirect and as a name.

What proves it is who must not be reached: a machine on loopback, and a proxy that sees every address anybody wants.
The last tests let one through on purpose, so that a listener that cannot hear would be found out.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

from actors.trades.outbound.failures import Forbidden
from actors.trades.outbound.fetch import fetch
from actors.trades.outbound.guard import Guard
from tests.room.actors.outbound_world import PUBLIC, PUBLIC_V6, SITE, Names, World, answer, world
from wire.slices import Outbound

# {p} is the port at which the machine inside listens
ADDRESSES = """
127.0.0.1 127.0.0.2 127.1.2.3 127.255.255.254 127.1 127.0.1 0 0.0.0.0 0.1.2.3 00.00.00.00 2130706433 017700000001
0x7f000001 0x7f.1 0x7f.0.0.1 0X7F.0.0.1 0177.0.0.1 0177.1 127.0.0.01 127.0.0.0x1 127.000.000.001 1.0x7f 4294967295
0x100000000 127.0.0.1. 127.1. 2130706433. 0x7f000001. 127.0.0.1.. 256.256.256.256 1.2.3 1.2.3.4.5 08.8.8.8
[::1] [::] [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::127.0.0.1] [::ffff:127.0.0.1]
[::ffff:7f00:1] [0:0:0:0:0:ffff:127.0.0.1] [::ffff:0:127.0.0.1] [::ffff:169.254.169.254] [64:ff9b::127.0.0.1]
[64:ff9b::a9fe:a9fe] [64:ff9b:1::7f00:1] [2002:7f00:1::] [2002:a9fe:a9fe::1] [2001:0:7f00:1::] [fe80::1] [fe80::1%25lo]
[fe80::1%lo] [::1%25lo] [fec0::1] [fc00::1] [fd00::1] [fd00:ec2::254] [fd20:ce::254] [ff02::1] [100::1] [2001:db8::1]
[5f00::1] [3fff::1] [4000::1] [::1 [127.0.0.1] [::ffff:127.1] [v1.127]
10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255 100.64.0.1 100.127.255.254
169.254.169.254 169.254.170.2 169.254.0.1 169.254.43518 100.100.100.200 192.0.0.192 168.63.129.16 2852039166 0xa9fea9fe
0251.0376.0251.0376 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1
203.0.113.1 192.88.99.1
１２７.０.０.１ ①②⑦.⓪.⓪.① 127。0。0。1 127．0．0．1 127｡0｡0｡1 %31%32%37.0.0.1 127%2e0%2e0%2e1 0x7f%2e1
localhost LOCALHOST localhost. LocalHost ⓛocalhost localhost%00.site.test localhost%2esite.test loc%61lhost
"""
URLS = r"""
http://127.0.0.1:{p}#@site.test/ http://127.0.0.1:{p}?@site.test/ http://site.test@127.0.0.1:{p}/
http://site.test:80@127.0.0.1:{p}/ http://site.test%40127.0.0.1:{p}/ http://127.0.0.1:{p}\@site.test/
http://site.test\@127.0.0.1:{p}/ http:\\127.0.0.1:{p}\ http:///127.0.0.1:{p}/ http:127.0.0.1:{p}/ http:/127.0.0.1:{p}/
http://user:password@127.0.0.1:{p}/ http://:@127.0.0.1:{p}/ http://@127.0.0.1:{p}/ http://127.0.0.1:{p}@127.0.0.1:{p}/
//127.0.0.1:{p}/ 127.0.0.1:{p} HTTP://127.0.0.1:{p}/x hTTps://127.0.0.1:{p}/ https://localhost:{p}/
http://127.0.0.1:0{p}/ http://127.0.0.1:+{p}/ http://127.0.0.1:-1/ http://127.0.0.1:0/ http://127.0.0.1:65536/
http://127.0.0.1:99999999999/ http://127.0.0.1:{p}:80/ http://127.0.0.1:{p}%0d%0a/ http://127.0.0.1%0d%0a:{p}/
http://127.0.0.1%00.site.test:{p}/ file:///etc/passwd file://127.0.0.1/etc/passwd ftp://127.0.0.1:{p}/
gopher://127.0.0.1:{p}/_GET dict://127.0.0.1:{p}/ ldap://127.0.0.1:{p}/ data:text/html,x javascript:alert(1)
jar:http://127.0.0.1:{p}!/ ws://127.0.0.1:{p}/ wss://127.0.0.1:{p}/ unix:///run/docker.sock
http+unix://%2Frun%2Fdocker.sock/ blob:http://127.0.0.1:{p}/ view-source:http://127.0.0.1:{p}/
http:// http://. http://.. http://:{p}/ http://[]/ http://[:{p}/ http://]/ http://*/ http://a..b/ http://-/ http://{p}.0.0.127/
"""
BROKEN_UP = (
    "http://127.0.0.1\ud800:{p}/",
    "http://127.0.0.1:{p}/\udcff",
    "http://127.0.0.1\t:{p}/",
    "\x01http://127.0.0.1:{p}/",
    " http://127.0.0.1:{p}/",
    "http://127.0.0.1:{p}/ a",
)
NAMES = {
    "loopback.test": "127.0.0.1", "v6.test": "::1", "unspecified.test": "0.0.0.0", "mapped.test": "::ffff:127.0.0.1",
    "compatible.test": "::7f00:1", "nat64.test": "64:ff9b::7f00:1", "sixtofour.test": "2002:7f00:1::",
    "link.test": "fe80::1", "metadata.test": "169.254.169.254", "azure.test": "168.63.129.16",
    "private.test": "10.1.2.3", "ula.test": "fd00::1", "carrier.test": "100.64.0.1", "multicast.test": "224.0.0.1",
    "broadcast.test": "255.255.255.255", "mixed.test": f"{PUBLIC}+127.0.0.1", "mixed.v6.test": f"{PUBLIC_V6}+::1",
    "mixed.backwards.test": f"127.0.0.1+{PUBLIC}",
}  # fmt: skip


def words(text: str) -> list[str]:
    return text.split()


ATTACKS = [
    *[f"http://{host}:{{p}}/" for host in words(ADDRESSES)],
    *[f"https://{host}/" for host in words(ADDRESSES)[::7]],
    *words(URLS),
    *BROKEN_UP,
    *[f"http://{name}:{{p}}/" for name in NAMES],
]


@pytest.fixture(scope="module")
def tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@pytest_asyncio.fixture
async def around() -> AsyncIterator[World]:
    async with world() as one:
        yield one


@pytest_asyncio.fixture
async def names() -> AsyncIterator[Names]:
    one = Names(site_test=PUBLIC, **{name.replace(".", "_"): said for name, said in NAMES.items()})
    yield one
    one.stop()


def test_the_table_is_long_enough() -> None:
    assert len(ATTACKS) == len(set(ATTACKS)) >= 60


@pytest.mark.parametrize("url", ATTACKS)
async def test_nothing_gets_through(around: World, names: Names, tls: ssl.SSLContext, url: str) -> None:
    """
    Directly, and by a proxy that would be asked for any address; each port is open, so that only the judge is asked.
    Then a public page sends us there: what is said without a scheme is a place on its own site, and that may be asked.
    """
    attack = url.format(p=around.port)
    async with Guard(Outbound(ports="any"), names, tls):
        with pytest.raises(Forbidden):
            await fetch(attack, seconds=20)
    async with Guard(Outbound(ports="any", proxy=SecretStr(around.proxy)), names, tls):
        with pytest.raises(Forbidden) as refused:
            await fetch(attack, seconds=20)
        told = str(refused.value).replace("a name or a password", "")
        there = attack.replace("\x01", "").encode(errors="replace").decode()  # a header cannot have these
        around.site = lambda _, path: answer("302 Found", f"Location: {there}") if path == "/to" else answer("404 No")
        try:
            document = await fetch(f"http://{SITE}/to", seconds=20)
        except Forbidden:
            pass
        else:
            assert (404, True) == (document.status, document.final_url.startswith(f"http://{SITE}/"))

    assert "password" not in told
    assert [] == around.reached
    assert {f"{PUBLIC}:80"} == set(around.connects)


async def test_a_name_that_changes_its_address_is_held_to_the_judged_one(around: World, tls: ssl.SSLContext) -> None:
    """
    It is asked for once a connection; when a new connection needs it again, its new address is judged.
    """
    names = Names(turncoat_test=f"{PUBLIC},127.0.0.1")
    around.site = lambda method, path: answer("200 OK", "Connection: close", body=b"public")
    async with Guard(Outbound(ports="any", proxy=SecretStr(around.proxy)), names, tls):
        document = await fetch(f"http://turncoat.test:{around.port}/")
        with pytest.raises(Forbidden):
            await fetch(f"http://turncoat.test:{around.port}/")

    assert b"public" == document.body
    assert ["turncoat.test"] * 2 == names.asked
    assert ([], [f"{PUBLIC}:{around.port}"]) == (around.reached, around.connects)


async def test_a_kept_connection_stays_with_the_address_it_was_judged_for(around: World, tls: ssl.SSLContext) -> None:
    names = Names(turncoat_test=f"{PUBLIC},127.0.0.1")
    async with Guard(Outbound(ports="any", proxy=SecretStr(around.proxy)), names, tls):
        bodies = [(await fetch(f"http://turncoat.test:{around.port}/")).body for _ in range(3)]

    assert [b"public"] * 3 == bodies
    assert ([], [f"{PUBLIC}:{around.port}"]) == (around.reached, around.connects)


@pytest.mark.parametrize("entry", ["127.0.0.0/8", "127.0.0.1:{p}", "inside.test"])
@pytest.mark.parametrize("host", ["127.0.0.1", "inside.test"])
async def test_a_public_page_opens_nothing_that_is_on_the_list(
    around: World, tls: ssl.SSLContext, entry: str, host: str
) -> None:
    """
    What jobs may ask for, a stranger may not ask for through them; not even where a connection is open already.
    """
    inside = f"http://{host}:{around.port}/"
    around.site = lambda _, path: answer("302 Found", f"Location: {inside}") if path == "/to" else answer("200 OK")
    names = Names(site_test=PUBLIC, inside_test="127.0.0.1")
    rules = Outbound(allow=(entry.format(p=around.port), "127.0.0.1"), ports="any", proxy=SecretStr(around.proxy))
    async with Guard(rules, names, tls):
        await fetch(inside)
        reached = len(around.reached)
        with pytest.raises(Forbidden):
            await fetch(f"http://{SITE}/to")

    assert (1, 1) == (reached, len(around.reached))


async def test_what_is_asked_on_account_of_a_redirect_is_judged_as_it_is(around: World, tls: ssl.SSLContext) -> None:
    """
    Whoever is polite asks for a robots.txt before it follows: not for one of an internal target, for a stranger's sake.
    """
    inside = f"http://inside.test:{around.port}"
    around.site = lambda _, path: answer("302 Found", f"Location: {inside}/") if path == "/to" else answer("200 OK")

    async def ask_first(url: str) -> None:
        await fetch(f"{inside}/robots.txt")

    names = Names(site_test=PUBLIC, inside_test="127.0.0.1")
    async with Guard(Outbound(allow=("inside.test",), ports="any", proxy=SecretStr(around.proxy)), names, tls):
        with pytest.raises(Forbidden):
            await fetch(f"http://{SITE}/to", on_redirect=ask_first)
        refused = list(around.reached)
        await fetch(f"{inside}/robots.txt")

    assert ([], 1) == (refused, len(around.reached))


@pytest.mark.parametrize(
    ("entry", "host"),
    [
        ("127.0.0.1", "127.0.0.1"), ("127.0.0.0/8:{p}", "127.0.0.1"), ("inside.test", "inside.test"),
        ("INSIDE.test.:{p}", "Inside.Test."), ("::1", "[::1]"), ("[::1]:{p}", "[0::1]"), ("localhost", "localhost"),
    ],
)  # fmt: skip
async def test_what_the_list_names_is_reached(around: World, tls: ssl.SSLContext, entry: str, host: str) -> None:
    """
    So the machine inside listens, and what it was asked is known.
    """
    names = Names(inside_test="127.0.0.1")
    async with Guard(Outbound(allow=(entry.format(p=around.port),), ports="any"), names, tls):
        document = await fetch(f"http://{host}:{around.port}/path?query#part")

    assert (200, b"the crown jewels") == (document.status, document.body)
    assert around.reached[0].startswith("GET /path?query HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("127.0.0.1:1", "http://127.0.0.1:{p}/"), ("127.0.0.2", "http://127.0.0.1:{p}/"), ("127.0.0.1", "http://[::1]:{p}/"),
        ("inside.test:1", "http://inside.test:{p}/"), ("inside.test", "http://127.0.0.1:{p}/"),
        ("inside.test", "http://other.inside.test:{p}/"), ("metadata.test", "http://metadata.test:{p}/"),
        ("link.test", "http://link.test:{p}/"), ("127.0.0.1", "http://[::ffff:127.0.0.1]:{p}/"),
    ],
)  # fmt: skip
async def test_what_the_list_does_not_name_is_not(around: World, tls: ssl.SSLContext, entry: str, url: str) -> None:
    """
    A name that is on the list opens no metadata service and no link-local address either: names are easily moved.
    """
    names = Names(
        inside_test="127.0.0.1", other_inside_test="127.0.0.1", metadata_test="169.254.169.254", link_test="fe80::1"
    )
    async with Guard(Outbound(allow=(entry,), ports="any", proxy=SecretStr(around.proxy)), names, tls):
        with pytest.raises(Forbidden):
            await fetch(url.format(p=around.port))

    assert [] == around.reached


async def test_other_ports_than_those_of_the_web_are_closed(around: World, names: Names, tls: ssl.SSLContext) -> None:
    async with Guard(Outbound(proxy=SecretStr(around.proxy)), names, tls):
        for port in (22, 25, 6379, 8080):
            with pytest.raises(Forbidden, match=f"port {port}; WARREN_OUTBOUND_PORTS"):
                await fetch(f"http://{SITE}:{port}/")
        await fetch(f"http://{SITE}/")

    assert [f"{PUBLIC}:80"] == around.connects


async def test_the_refusal_of_a_name_does_not_tell_its_address(
    around: World, names: Names, tls: ssl.SSLContext
) -> None:
    async with Guard(Outbound(), names, tls):
        with pytest.raises(Forbidden) as refused:
            await fetch("http://private.test/?key=s3cr3t")

    assert (
        "private.test leads to an internal address, which jobs may not reach; "
        "WARREN_OUTBOUND_ALLOW names those they may" == str(refused.value)
    )
