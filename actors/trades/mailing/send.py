"""`send`: the one way in which a job sends mail."""

from __future__ import annotations

import asyncio

from actors.configured import configured
from actors.trades.mailing import here
from actors.trades.mailing.mail import Mail, Sent
from actors.trades.mailing.post import Post
from wire.slices.mailing import Mailing


async def send(mail: Mail) -> Sent:
    """Have the mail taken by the server of `WARREN_SMTP_URL`, or written into the outbox folder; see failures.py.

    A job that sends several mails gives each its `key`: by the job and the key it is known whether an attempt before
    this one has sent it already.  Where there is no post, as in a child process or a test, one is made for this mail
    alone.
    """
    post = here.post
    if post is not None and post.loop is asyncio.get_running_loop():
        return await post.send(mail)
    async with Post(configured(Mailing), local=False) as alone:
        return await alone.send(mail)


send_mail = send  # its name among those of `warren`
