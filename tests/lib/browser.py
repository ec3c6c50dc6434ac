# SPDX-License-Identifier: MIT
"""A browser for tests: Debian's Chromium without a window, by WebDriver's JSON.

    with browser() as page:
        page.open("http://127.0.0.1:9477/")
        page.until("return document.title")
        page.picture("first")

Nothing waits for a time. The browser keeps its profile in a directory of its own, and is gone at the end.
"""
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from live import BUILD, PATIENCE, skip, wait_for

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver's name of a reference to one
KEYS = {"Escape": "\ue00c", "Left": "\ue012", "Right": "\ue014", "Enter": "\ue007", "Tab": "\ue004"}
PICTURES = BUILD / "test-output" / "page"


class BrowserError(Exception):
    """What the driver answered instead of doing it."""


class Page:
    """One tab."""

    def __init__(self, root):
        self.root, self.session = root, None

    def call(self, method, path, body=None):
        request = urllib.request.Request(f"{self.root}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise BrowserError(json.load(error)["value"]["message"]) from None

    def begin(self, capabilities):
        value = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.root += f"/session/{value['sessionId']}"

    # --- what is done ---

    def open(self, address):
        self.call("POST", "/url", {"url": address})

    def reload(self):
        self.call("POST", "/refresh", {})

    def size(self, width, height):
        """Of the page itself; a window without a screen may be narrower than one with a screen."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)

    def devtools(self, command, **params):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def keys(self, *names):
        """Characters, or names of KEYS, to what has the focus."""
        actions = [{"type": kind, "value": KEYS.get(name, name)} for name in names for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def find(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector, text):
        """Instead of what stands there, with Enter."""
        found = self.find(selector)
        self.call("POST", f"/element/{found}/clear", {})
        self.call("POST", f"/element/{found}/value", {"text": text + KEYS["Enter"]})

    def drag(self, selector, begin, end):
        """Across the element, from one part of its width to another; the same: a click."""
        box = self.run("const box = document.querySelector(arguments[0]).getBoundingClientRect();"
                       "return [box.left, box.top, box.width, box.height]", selector)
        places = [(round(box[0] + box[2] * part), round(box[1] + box[3] / 2)) for part in (begin, (begin + end) / 2, end)]
        move = [{"type": "pointerMove", "x": x, "y": y, "duration": 0, "origin": "viewport"} for x, y in places]
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
            move[0], {"type": "pointerDown", "button": 0}, *move[1:], {"type": "pointerUp", "button": 0}]}]})

    # --- what it shows ---

    def run(self, script, *words):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(words)})

    def until(self, script, *words, what=None):
        """What SCRIPT returns as soon as that is something true."""
        return wait_for(lambda: self.run(script, *words), what=what or script)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).innerText", selector)

    def table(self, selector):
        """Rows of texts, the heads first."""
        return self.run("return [...document.querySelectorAll(arguments[0] + ' tr')].map(row => [...row.cells].map(cell => cell.innerText.trim()))", selector)

    def log(self):
        """What the browser complained of since it was last asked."""
        return self.call("POST", "/se/log", {"type": "browser"})

    def picture(self, name):
        PICTURES.mkdir(parents=True, exist_ok=True)
        (PICTURES / f"{name}.png").write_bytes(base64.b64decode(self.call("GET", "/screenshot")))


def _driver_port(driver):
    """It tells the port that it chose."""
    for line in driver.stdout:
        words = line.rstrip(".\n").split()
        if "started" in words and "port" in words:
            return int(words[-1])
    raise AssertionError(f"chromedriver ended: {driver.wait()}")


def _remove(name):
    shutil.rmtree(name, ignore_errors=True)
    return not Path(name).exists()


@contextlib.contextmanager
def _profile():
    """A directory in which processes that were killed may write a moment longer."""
    name = tempfile.mkdtemp(prefix="nwho-test-")
    try:
        yield name
    finally:
        wait_for(lambda: _remove(name), what=f"{name} removed")


@contextlib.contextmanager
def browser(prefix=(), language="en"):
    """PREFIX: the words before the command, as those of a namespace."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        skip("chromium and chromedriver are not installed")
    with _profile() as name:
        environment = {**os.environ, "TZ": "UTC", "HOME": name, "XDG_CONFIG_HOME": name, "XDG_CACHE_HOME": name, "LANG": "C.UTF-8"}
        with subprocess.Popen([*prefix, "chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, env=environment, start_new_session=True) as driver:
            try:
                page = Page(f"http://127.0.0.1:{_driver_port(driver)}")
                page.begin({"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {
                    "binary": shutil.which("chromium"),
                    "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                             "--disable-component-update", "--disable-sync", "--no-proxy-server", f"--lang={language}", f"--user-data-dir={Path(name) / 'profile'}", "--window-size=1400,1100"]}})
                yield page
                with contextlib.suppress(BrowserError, OSError):
                    page.call("DELETE", "")
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(driver.pid, signal.SIGKILL)
                driver.wait(PATIENCE)
