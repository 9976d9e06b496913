"""A real browser without a window, driven over its own DevTools protocol: no library, one websocket.

It is asked questions in JavaScript and waits on facts.  Where no Chromium is installed, tests that need one skip.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.eventually import eventually

PROGRAM: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS: Final = (
    "--headless=new", "--remote-debugging-port=0", "--no-first-run", "--disable-gpu", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--no-proxy-server", "--disable-dev-shm-usage",
)  # fmt: skip
START_SECONDS = 60.0
ANSWER_SECONDS = 60.0


class Unanswered(Exception):
    """The browser could not do what it was asked."""


class Tab:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers = socket, itertools.count(1)
        self._session: str | None = None
        self.complaints: list[str] = []  # what the page wrote to its console as an error, or raised

    async def begin(self) -> None:
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What the browser answers to this command."""
        number = next(self._numbers)
        asked = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(asked | ({"sessionId": self._session} if self._session else {}))
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                told = json.loads(await self._socket.receive_str())
                if told.get("id") == number:
                    if "error" in told:
                        raise Unanswered(f"{method}: {told['error']}")
                    return dict(told["result"])
                self._overhear(told)

    async def open(self, url: str) -> None:
        await self.call("Page.navigate", url=url)

    async def ask(self, expression: str) -> Any:
        """The value of this JavaScript; a promise is waited for."""
        told = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise Unanswered(f"{expression}: {told['exceptionDetails']}")
        return told["result"].get("value")

    async def comes_true(self, expression: str, within: float = 60.0) -> None:
        """Return once this JavaScript is true; what the page shows is told when it does not come true."""

        async def fact() -> bool:
            try:
                return bool(await self.ask(expression))
            except Unanswered:
                return False  # the page is just being loaded

        try:
            await eventually(fact, within=within)
        except AssertionError:
            text = await self.ask("document.body.innerText")
            raise AssertionError(f"never true: {expression}\n{self.complaints}\nthe page:\n{text}") from None

    async def shows(self, text: str) -> None:
        await self.comes_true(f"document.body.innerText.includes({json.dumps(text)})")

    async def press(self, button: str, within: str = "main") -> None:
        """Click the button with this text, once it is there."""
        found = f"[...document.querySelectorAll({json.dumps(within + ' button')})]"
        found += f".find(one => one.textContent === {json.dumps(button)})"
        await self.comes_true(f"Boolean({found})")
        await self.ask(f"{found}.click()")

    async def picture(self, file: Path, width: int, height: int, *, dark: bool = False, whole: bool = False) -> None:
        """What the page looks like, as a PNG."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        shot = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        await asyncio.to_thread(file.write_bytes, base64.b64decode(shot["data"]))

    def _overhear(self, told: dict[str, Any]) -> None:
        method, said = told.get("method"), told.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(said["exceptionDetails"]))
        if method == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.complaints.append(said["entry"]["text"])


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Tab]:
    """A browser with a fresh profile in this folder, and its one tab."""
    assert PROGRAM
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    process = await asyncio.create_subprocess_exec(
        PROGRAM, *OPTIONS, *sandbox, f"--user-data-dir={folder}", "about:blank",
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        address = folder / "DevToolsActivePort"
        await eventually(lambda: address.exists() and "\n" in address.read_text(), within=START_SECONDS)
        port, path = address.read_text().split("\n")[:2]
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"ws://127.0.0.1:{port}{path}", max_msg_size=0) as socket,
        ):
            tab = Tab(socket)
            await tab.begin()
            yield tab
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), START_SECONDS)
