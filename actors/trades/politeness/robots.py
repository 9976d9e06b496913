"""What hosts allow, as far as this process knows it: parsed once, read again when the host's row says something else.

The cache is bounded, and of each gate its own: a test's lanes live in one process.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import Final
from weakref import WeakKeyDictionary

from actors.trades.outbound.document import Document
from actors.trades.politeness.rules import Rules, parse, unreadable
from persistence.hosts import robots
from persistence.hosts.gate import Turns
from persistence.hosts.robots import Robots
from wire.metrics import table as metrics

MOST_BYTES: Final = 512 * 1024  # that are read of it; RFC 9309 wants at least 500 KiB
PARSED_ASIDE: Final = 16 * 1024  # characters; a larger one would hold the loop
KNOWN: Final = 2_000  # hosts
UNREADABLE_SECONDS: Final = 60.0  # until it is asked for again

_caches: WeakKeyDictionary[Turns, OrderedDict[str, tuple[float, Rules]]] = WeakKeyDictionary()


async def known(gate: Turns, host: str) -> Rules | None:
    """What all processes believe of it; None where somebody has to ask the host."""
    cache = _caches.setdefault(gate, OrderedDict())
    until, rules = cache.get(host, (0.0, None))
    if rules is not None and time.monotonic() < until:
        return rules
    found = await robots.read(gate.database, host)
    return None if found is None else await _remember(gate, host, found)


async def learn(gate: Turns, host: str, document: Document) -> Rules:
    """What its answer says, from now on and for everybody."""
    fault = unreadable(document.status)
    text = _text(document.body) if document.status < 300 else ""
    metrics.ROBOTS.add("unreadable" if fault else "read" if document.status < 300 else "none")
    return await _keep(gate, host, text if fault is None else "", fault)


async def without(gate: Turns, host: str, fault: str) -> Rules:
    """It could not be read, so that nothing is allowed for a while."""
    metrics.ROBOTS.add("unreadable")
    return await _keep(gate, host, "", fault)


def _text(body: bytes) -> str:
    """What is beyond the limit was left off, and the rule that it ends in may say more than was meant."""
    whole = body if len(body) < MOST_BYTES else body[: body.rfind(b"\n") + 1]
    return whole.decode("utf-8-sig", "replace")


async def _keep(gate: Turns, host: str, text: str, fault: str | None) -> Rules:
    seconds = UNREADABLE_SECONDS if fault else gate.settings.robots_ttl_seconds
    found = Robots(text, fault and fault[:300], seconds)
    await robots.keep(gate.database, host, found)
    return await _remember(gate, host, found)


async def _remember(gate: Turns, host: str, found: Robots) -> Rules:
    if len(found.text) > PARSED_ASIDE:
        rules = await asyncio.to_thread(parse, found.text, found.fault)
    else:
        rules = parse(found.text, found.fault)
    cache = _caches.setdefault(gate, OrderedDict())
    cache[host] = time.monotonic() + found.seconds_left, rules
    cache.move_to_end(host)
    while len(cache) > KNOWN:
        cache.popitem(last=False)
    return rules
