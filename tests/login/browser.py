"""A headless Chromium, steered over its own debugging protocol: a few commands, no driver to install."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.services import Missing

__all__ = ["Browser", "Page", "connected", "running_chromium"]

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
    "--remote-debugging-port=0",
)  # fmt: skip
_START_LIMIT = 20.0
_LOOKS = 300
"""How often a page is looked at until it is as expected, a twentieth of a second apart."""


@contextmanager
def running_chromium() -> Iterator[str]:
    """Start Chromium with a profile of its own; the value is the address that steers it.

    Raises:
        Missing: There is none.
    """
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        raise Missing("Chromium is not installed: run `make services`")
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={folder}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            yield _address(Path(folder), process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _address(folder: Path, process: subprocess.Popen[bytes]) -> str:
    """Wait until Chromium has written down where it is steered."""
    written, until = folder / "DevToolsActivePort", time.monotonic() + _START_LIMIT
    while time.monotonic() < until and process.poll() is None:
        lines = written.read_text().split() if written.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.02)
    raise RuntimeError("Chromium did not come up")


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Browser]:
    """Steer a Chromium that runs, in a window of its own that forgets everything."""
    async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
        browser = Browser(socket)
        context = (await browser.ask("Target.createBrowserContext"))["browserContextId"]
        browser.context = context
        try:
            yield browser
        finally:
            await browser.ask("Target.disposeBrowserContext", browserContextId=context)


class Browser:
    """A connection to Chromium. One question at a time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._asked = 0
        self.context = ""

    async def ask(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Ask one question of the protocol and return its answer; events are passed over."""
        self._asked += 1
        message: dict[str, Any] = {"id": self._asked, "method": method, "params": params}
        await self._socket.send_json(message if session is None else {**message, "sessionId": session})
        while True:
            answer = await self._socket.receive_json(timeout=15)
            if answer.get("id") == self._asked:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    async def page(self) -> Page:
        """Open an empty page."""
        target = await self.ask("Target.createTarget", url="about:blank", browserContextId=self.context)
        attached = await self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        return Page(self, attached["sessionId"])


class Page:
    """One page of a browser."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session

    async def go(self, url: str) -> str:
        """Go to an address; return the network's error, or nothing."""
        answer = await self._browser.ask("Page.navigate", self._session, url=url)
        return str(answer.get("errorText", ""))

    async def value(self, expression: str) -> Any:
        """Return what an expression of the page's own language comes to."""
        answer = await self._browser.ask(
            "Runtime.evaluate", self._session, expression=expression, returnByValue=True
        )
        return answer["result"].get("value")

    async def until(self, title: str) -> str:
        """Wait for a page with these words in its title; return its text."""
        ready = "document.readyState === 'complete' ? [document.title, document.body.innerText] : ['', '']"
        seen = ""
        for _ in range(_LOOKS):
            seen, text = await self.value(ready) or ("", "")
            if title in seen:
                return str(text)
            await asyncio.sleep(0.05)
        raise AssertionError(f"a page {title!r} was expected; there is {seen!r}")

    async def click(self, selector: str) -> None:
        """Click what a selector finds, as a person does: with the mouse, in its middle."""
        box = await self.value(
            f"(() => {{ const r = document.querySelector({selector!r}).getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self._browser.ask(
                "Input.dispatchMouseEvent", self._session, type=kind, x=box[0], y=box[1], button="left",
                clickCount=1,
            )  # fmt: skip
