"""What the tests of several flows do in a page."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from ..browser import PASSWORD
from .conftest import SECONDS, LiveSite

MOST_TABS = 150
"""Presses of Tab after which something counts as out of reach."""
_FOCUSED = """() => {
  const one = document.activeElement;
  const label = one.labels && one.labels.length ? one.labels[0].innerText : "";
  const style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  return {
    isField: Boolean(label),
    words: one === document.body ? "" : (label || one.innerText || "").trim(),
    isSeen: one === document.body || one.matches(":focus-visible, :focus-within")
      && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0
      && box.bottom > 0 && box.top < innerHeight,
  };
}"""
_SMALL = """() => {
  const small = [];
  const targets = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  for (const one of document.querySelectorAll(targets)) {
    const target = one.closest("label") || one;
    const box = target.getBoundingClientRect();
    const isShown = box.width > 0 && target.checkVisibility() && !target.matches(".hidden, .skip");
    const isInSentence = getComputedStyle(one).display === "inline" && one.closest("p");
    if (isShown && !isInSentence && (Math.round(box.width) < 24 || Math.round(box.height) < 24)) {
      small.push(`${target.outerHTML.slice(0, 90)}: ${box.width} x ${box.height}`);
    }
  }
  for (const one of document.querySelectorAll(".scroll:not(pre)")) {
    if (one.scrollWidth > one.clientWidth + 1) {
      small.push(`${one.getAttribute("aria-label")} scrolls sideways`);
    }
  }
  const pen = document.createElement("canvas").getContext("2d");
  for (const one of document.querySelectorAll("input[placeholder]")) {
    const style = getComputedStyle(one);
    pen.font = style.font;
    const room = one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (room > 0 && pen.measureText(one.placeholder).width > room) {
      small.push(`the hint "${one.placeholder}" is cut off`);
    }
  }
  return small;
}"""


def make_first_account(page: Page, site: LiveSite) -> None:
    """The first run: name, password and zone."""
    page.goto(site.first_link())
    page.get_by_label("Your name for signing in").fill("ann")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_label("Time zone of the site").select_option("Europe/Madrid")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Connect a terminal")).to_be_visible()


def approve(page: Page, name: str) -> None:
    """Approve the terminal whose page of approval is shown."""
    page.get_by_label(re.compile("^Name")).fill(name)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("is approved")


def tab_to(page: Page, words: str, *, is_whole: bool = False, is_field: bool = False) -> None:
    """Press Tab until what begins with these words has the focus, which is seen at each step.

    With `is_whole`, it has these words and no others; with `is_field`, it is a field.

    After the last element of a page, nothing has the focus, and the first one is next.
    """
    passed = []
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        focused: Any = page.evaluate(_FOCUSED)
        assert focused["isSeen"], focused
        said = " ".join(focused["words"].split())
        is_named = said == words or (not is_whole and said.startswith(words))
        if is_named and (focused["isField"] or not is_field):
            return
        passed.append(focused["words"])
    raise AssertionError(f"{words} is not reached: {passed}")


def overflow(page: Page) -> int:
    """Pixels by which a page is wider than the window."""
    width: int = page.evaluate(
        "document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
    )
    return width


def unfit(page: Page) -> list[str]:
    """What does not fit a phone: pages that are too wide, tables that scroll sideways, hints that
    are cut off, and targets of less than 24 pixels.

    Links within sentences are as high as their lines (WCAG 2.2, 2.5.8).
    """
    small: list[str] = page.evaluate(_SMALL)
    wide = overflow(page)
    return [*small, *([f"{wide} px too wide"] if wide > 0 else [])]


def first_punch_is_shown(page: Page, terminal: str) -> None:
    """Wait until the overview shows a punch of a terminal."""
    expect(page.locator(".feed li").first).to_contain_text(terminal, timeout=SECONDS * 1000)
