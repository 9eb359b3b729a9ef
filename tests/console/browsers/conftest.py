"""A browser, a daemon with simulated terminals, and their ends."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from ... import warm
from ...cli.program import environment, said, zkpush
from ...daemon.process import Daemon

ROOT = pathlib.Path(__file__).parent.parent.parent.parent
SCREENSHOTS = ROOT / "screenshots"
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""The shell is the same browser without what surrounds a page, at two thirds of the cost."""
SECONDS = 30
"""Longest wait for something to appear."""


class LiveSite:
    """A daemon that approves no terminal by itself, with simulated terminals."""

    def __init__(self, data: pathlib.Path, *flags: str) -> None:
        """`flags` are more of those of `twistd zkpush`."""
        self.daemon = Daemon(data, "--admission", "approve", *flags, env={"TZ": "Europe/Madrid"})
        self.url = f"http://127.0.0.1:{self.daemon.manage.port}"
        self._simulators: list[warm.Program | subprocess.Popen[bytes]] = []

    def run(self, *words: str) -> str:
        """The output of a command of `zkpush`."""
        return said(zkpush("--data", str(self.daemon.data), *words))

    def simulate(self, devices: int = 1, rate: str = "5", *, everything: bool = False) -> None:
        """Start terminals that punch until the end; with `everything`, they take photos, too."""
        server = f"http://127.0.0.1:{self.daemon.terminals.port}"
        words = ["simulate", "--server", server, "--devices", str(devices), "--rate", rate]
        words += ["--users", "5", "--duration", "600"]
        words += ["--everything", "--models", "att"] if everything else []
        with pathlib.Path(os.devnull).open("wb") as nowhere:
            out = nowhere.fileno()
            started = warm.start("zkpush", words, env=environment(), stdout=out, stderr=out)
        self._simulators.append(started)

    def first_link(self) -> str:
        """The link to the first account."""
        return next(word for word in self.run("console", "setup").split() if "/welcome/" in word)

    def end(self) -> None:
        """End all processes."""
        for one in self._simulators:
            one.kill()
            one.wait()
        self.daemon.kill()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed")
        pytest.skip("chromium is not installed")
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Iterator[LiveSite]:
    """A daemon without accounts and terminals."""
    found = LiveSite(tmp_path / "data")
    yield found
    found.end()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page in a context of its own; at the end nothing must have gone wrong there."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(**options: object) -> Page:
        context = chromium.new_context(**{"locale": "en-GB", **options})  # type: ignore[arg-type]
        context.set_default_timeout(SECONDS * 1000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "request",
            lambda asked: (
                None
                if asked.url.startswith("http://127.0.0.1:")
                else faults.append(f"asked {asked.url}")
            ),
        )
        return page

    yield opened
    for context in contexts:
        context.close()
    # A page of an error says so in the console of the browser as well.
    assert [one for one in faults if "the server responded with a status of" not in one] == []


def shoot(page: Page, name: str, *, full_page: bool = True) -> None:
    """Keep a screenshot, of the whole page or of what the window shows."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=str(SCREENSHOTS / f"{name}.png"), full_page=full_page)


def until(found: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + SECONDS
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
