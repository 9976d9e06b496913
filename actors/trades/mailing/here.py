"""The post of this process, if it has one; as with its guard there is one, set where its life begins."""

from __future__ import annotations

import asyncio
from typing import Protocol

from actors.trades.mailing.mail import Mail, Sent


class Posts(Protocol):
    """What a post is to whoever sends by it."""

    loop: asyncio.AbstractEventLoop | None

    async def send(self, mail: Mail) -> Sent: ...


post: Posts | None = None
