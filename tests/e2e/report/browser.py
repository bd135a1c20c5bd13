"""A headless Chromium over its DevTools protocol: opens a page, evaluates in it, hears its errors and requests."""

import json
import shutil
import subprocess
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
PATIENCE = 30.0
BROKEN_WORDS = """(() => {
  const broken = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    const around = node.parentElement;
    if (around.matches("script, style, noscript") || !around.checkVisibility()) continue;
    for (const { 0: word, index } of node.textContent.matchAll(/\\d{4}-\\d\\d-\\d\\d|[^\\s\\/-]+/g)) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      if (new Set([...range.getClientRects()].map(each => Math.round(each.top))).size > 1) broken.push(word);
    }
  }
  return broken;
})()"""
CUT_OFF = """[...document.querySelectorAll('body *')]
  .filter(each => each.scrollWidth > each.clientWidth + 1 && !each.matches('.unseen, .chart *'))
  .filter(each => getComputedStyle(each).overflowX !== 'visible')
  .map(each => each.outerHTML.slice(0, 80))"""


def browser_path() -> str | None:
    """The browser of this machine, if it has one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass(slots=True)
class Tab:
    """One tab; what it did wrong and what it asked for is kept."""

    socket: ClientConnection
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _last: int = 0
    _loaded: bool = False

    def command(self, method: str, **parameters: object) -> dict[str, object]:
        """The answer of one protocol command; events met on the way are kept."""
        self._last += 1
        self.socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(timeout=PATIENCE))
            if message.get("id") == self._last:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return dict(message["result"])
            self._hear(message)

    def open(self, page: Path | str, *, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        """Load a file or an address and wait until its charts are drawn."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.command(f"{domain}.enable")
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        self.scheme(dark=dark)
        self._loaded = False
        self.command("Page.navigate", url=page.as_uri() if isinstance(page, Path) else page)
        deadline = time.monotonic() + PATIENCE
        while not (self.evaluate("document.documentElement?.dataset.charts ?? ''") and self._loaded):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{page} drew no charts within {PATIENCE:.0f} s; errors: {self.errors}")
            time.sleep(0.05)

    def scheme(self, *, dark: bool) -> None:
        """What the system asks pages for."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])

    def point(self, x: float, y: float) -> None:
        """Move the mouse there, CSS pixels of the window."""
        self.command("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def press(self, key: str) -> None:
        """A key, by its name in JavaScript."""
        for kind in ("rawKeyDown", "keyUp"):
            self.command("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def evaluate(self, expression: str) -> object:
        """The JSON value of a JavaScript expression."""
        answer = self.command("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        result = answer["result"]
        return result.get("value") if isinstance(result, dict) else None

    def print(self) -> bytes:
        """The page on A4 paper as PDF."""
        answer = self.command("Page.printToPDF", preferCSSPageSize=False, paperWidth=8.27, paperHeight=11.69)
        return b64decode(str(answer["data"]))

    def picture(self) -> bytes:
        """What the window shows, as PNG."""
        return b64decode(str(self.command("Page.captureScreenshot", format="png")["data"]))

    def _hear(self, message: dict[str, dict[str, dict[str, object]]]) -> None:
        parameters = message.get("params", {})
        match message["method"]:
            case "Page.loadEventFired":
                self._loaded = True
            case "Runtime.exceptionThrown":
                self.errors.append(str(parameters["exceptionDetails"]))
            case "Log.entryAdded" if parameters["entry"]["level"] in {"error", "warning"}:
                self.errors.append(str(parameters["entry"]["text"]))
            case "Runtime.consoleAPICalled" if str(parameters["type"]) in {"error", "warning", "assert"}:
                self.errors.append(str(parameters["args"]))
            case "Network.requestWillBeSent":
                self.requests.append(str(parameters["request"]["url"]))
            case _:
                pass


@contextmanager
def browser(path: str) -> Iterator[Tab]:
    """A fresh browser with one empty tab; it ends, and its profile is removed, with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [path, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(_tab_address(Path(profile), process), max_size=None) as socket:
                yield Tab(socket)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _tab_address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """Where the tab listens, once the browser has written its port."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the browser ended with code {process.returncode}")
        try:
            port, path = (profile / "DevToolsActivePort").read_text().split()
        except (FileNotFoundError, ValueError):
            time.sleep(0.05)
            continue
        with connect(f"ws://127.0.0.1:{port}{path}", max_size=None) as socket:
            targets = Tab(socket).command("Target.getTargets")["targetInfos"]
        assert isinstance(targets, list)
        tab = next(target["targetId"] for target in targets if target["type"] == "page")
        return f"ws://127.0.0.1:{port}/devtools/page/{tab}"
    raise TimeoutError(f"the browser did not start within {PATIENCE:.0f} s")
