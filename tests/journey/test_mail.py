"""A worker with a mail server sends what another job has left behind, and says its password to nobody else."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests import certificates
from tests.eventually import eventually
from tests.journey.api import Api
from tests.journey.stack import Stack
from tests.mail_server import Received, mail_server

PASSWORD = "uNh34rd-0f"
ADA = "ada@example.org"


async def test_a_mail_with_a_file_arrives_and_is_sent_once_by_a_worker_that_is_told_to_stop(
    api: Api, stack: Stack, tmp_path: Path
) -> None:
    tls, _ = certificates.certified(tmp_path, "localhost")
    read, may_answer = asyncio.Event(), asyncio.Event()

    async def slowly(_: Received) -> str:
        read.set()
        await may_answer.wait()
        return "250 taken"

    saving = await api.submit("leaves", {"name": "a.html", "text": "<p>hello</p>", "times": 3})
    (saved,) = (await api.get((await api.finished(saving))["links"]["artifacts"]))["items"]
    async with mail_server(tls=tls, logins={"warren": PASSWORD}) as server:
        server.content = slowly
        said = {
            "WARREN_ACTORS": "mail_jobs", "WARREN_QUEUES": "mails", "WARREN_MAIL_FROM": "w@example.org",
            "WARREN_SMTP_URL": f"smtp://warren:{PASSWORD}@localhost:{server.port}",
            "WARREN_SMTP_CERTIFICATES": str(tmp_path / certificates.FILE),
        }  # fmt: skip
        stack.workers("mailer", processes=1, **said)
        await eventually(lambda: _known(api))
        job_id = await api.submit("mails", {"to": [ADA], "artifact": saved["id"]})
        await asyncio.wait_for(read.wait(), 60)
        stopping = asyncio.ensure_future(asyncio.to_thread(stack.stop, "mailer"))
        await eventually(lambda: stack.logged("mailer", "draining"))
        may_answer.set()
        code, job = await stopping, await api.finished(job_id)
    [received] = server.taken
    [attached] = received.mail.iter_attachments()

    assert (0, "completed") == (code, job["state"]), job["error"]
    assert {"message_id": received.mail["message-id"], "accepted": [ADA], "where": f"localhost:{server.port}"} == (
        job["result"]
    )
    assert ("warren", True, [ADA], "Grüße") == (
        received.user, received.tls, received.recipients, received.mail["subject"],
    )  # fmt: skip
    assert ("text/html", "<p>hello</p>" * 3) == (attached.get_content_type(), attached.get_content().rstrip("\n"))
    assert PASSWORD not in stack.log("mailer").read_text()


async def _known(api: Api) -> bool:
    return (await api.client.get("/api/v1/job-types/mails")).status_code == 200
