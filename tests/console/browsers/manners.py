"""Ways to use the console: one flow is written once, and done in each of them."""

from __future__ import annotations

import abc
import re
from datetime import date
from typing import Any

from playwright.sync_api import FilePayload, Locator, Page, expect

from .acts import tab_to, unfit
from .conftest import LiveSite, until
from .plainclient import PlainClient


class Manner(abc.ABC):
    """Somebody who uses the console. Fields, buttons and links are named by their words."""

    @abc.abstractmethod
    def visit(self, path: str) -> None:
        """Open a page of the console."""

    @abc.abstractmethod
    def fill(self, label: str, text: str) -> None:
        """Enter a text into a field whose label begins like this; a date is ISO 8601."""

    @abc.abstractmethod
    def choose(self, label: str, option: str) -> None:
        """Choose an option of a list."""

    @abc.abstractmethod
    def attach(self, label: str, name: str, content: bytes) -> None:
        """Choose a file."""

    @abc.abstractmethod
    def press(self, words: str, *, begins: bool = False) -> None:
        """Press the first button or link with these words, or whose words begin like this."""

    @abc.abstractmethod
    def sees(self, words: str) -> None:
        """Wait until the page says something, as long as a terminal may take for its part."""

    @abc.abstractmethod
    def offers(self, words: str) -> bool:
        """Whether the page has a button or a link with these words."""


class _InBrowser(Manner):
    """What a mouse, the keyboard and a finger have in common."""

    def __init__(self, page: Page, site: LiveSite) -> None:
        self.page = page
        self._site = site

    def visit(self, path: str) -> None:
        self.page.goto(f"{self._site.url}/console/{path}")

    def fill(self, label: str, text: str) -> None:
        self.field(label).fill(text)

    def choose(self, label: str, option: str) -> None:
        self.field(label).select_option(label=option)

    def attach(self, label: str, name: str, content: bytes) -> None:
        file: FilePayload = {"name": name, "mimeType": "text/csv", "buffer": content}
        self.field(label).set_input_files(file)

    def sees(self, words: str) -> None:
        expect(self.page.locator("main")).to_contain_text(words, timeout=60_000)

    def offers(self, words: str) -> bool:
        return self.control(words).count() > 0

    def field(self, label: str) -> Locator:
        """The first field whose label begins like this."""
        return self.page.get_by_label(re.compile(f"^{re.escape(label)}")).first

    def control(self, words: str, *, begins: bool = False) -> Locator:
        """The first button or link with these words."""
        name = re.compile(f"^{re.escape(words)}{'' if begins else '$'}")
        main = self.page.locator("main")
        return main.get_by_role("button", name=name).or_(main.get_by_role("link", name=name)).first


class Mouse(_InBrowser):
    """A mouse, at a wide window."""

    context: dict[str, Any] = {"viewport": {"width": 1280, "height": 860}}

    def press(self, words: str, *, begins: bool = False) -> None:
        with self.page.expect_navigation():
            self.control(words, begins=begins).click()


class Keyboard(_InBrowser):
    """Keys only; what has the focus is seen at each step."""

    context: dict[str, Any] = Mouse.context

    def fill(self, label: str, text: str) -> None:
        tab_to(self.page, label, is_field=True)
        if self.page.evaluate("document.activeElement.type") == "date":
            text = date.fromisoformat(text).strftime("%d%m%Y")
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def choose(self, label: str, option: str) -> None:
        tab_to(self.page, label, is_field=True)
        self.page.keyboard.type(option)
        expect(self.page.locator(":focus option:checked")).to_have_text(option)

    def attach(self, label: str, name: str, content: bytes) -> None:
        tab_to(self.page, label, is_field=True)  # the window for files is not of the page
        super().attach(label, name, content)

    def press(self, words: str, *, begins: bool = False) -> None:
        control = self.control(words, begins=begins)
        expect(control).to_be_visible()
        tab_to(self.page, words, is_whole=not begins)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")


class Phone(_InBrowser):
    """A finger, on a screen of 375 pixels: nothing is too wide, too small or cut off."""

    context: dict[str, Any] = {
        "viewport": {"width": 375, "height": 812},
        "has_touch": True,
        "is_mobile": True,
    }

    def visit(self, path: str) -> None:
        super().visit(path)
        self._look()

    def press(self, words: str, *, begins: bool = False) -> None:
        with self.page.expect_navigation():
            self.control(words, begins=begins).tap()

    def sees(self, words: str) -> None:
        super().sees(words)
        self._look()

    def _look(self) -> None:
        assert unfit(self.page) == [], self.page.url


class NoScript(Manner):
    """A client without scripts; it loads a page again to see what is new."""

    def __init__(self, client: PlainClient) -> None:
        self.client = client

    def visit(self, path: str) -> None:
        self.client.visit(f"/console/{path}")

    def fill(self, label: str, text: str) -> None:
        self.client.fill(label, text)

    def choose(self, label: str, option: str) -> None:
        self.client.choose(label, option)

    def attach(self, label: str, name: str, content: bytes) -> None:
        self.client.attach(label, name, content)

    def press(self, words: str, *, begins: bool = False) -> None:
        self.client.press(words, begins=begins)

    def sees(self, words: str) -> None:
        def is_said() -> bool:
            if words in self.client.words:
                return True
            self.client.reload()
            return False

        until(is_said, words)

    def offers(self, words: str) -> bool:
        return self.client.offers(words)
