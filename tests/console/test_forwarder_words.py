"""What became of deliveries, in the language of the visit."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest_twisted

from zkpush.handlers import forward
from zkpush.handlers.forward.wording import DELIVERY_WORDS
from zkpush.phrases import Phrase
from zkpush.values.forwarding import ForwardBatch, Outcome, RetryLater

from ..forward.receivers import Memory, add, punch, turns
from .browser import document, signed_in, text_of
from .walk import english_left

FOLDER = Path(forward.__path__[0])
MAKERS = frozenset(
    {
        "BrokerUnreachable",
        "ConnectionFault",
        "DatabaseLost",
        "DayFileError",
        "Delivered",
        "Gone",
        "HostUnreachable",
        "MailFailed",
        "RefusedBatch",
        "RetryLater",
        "StillBusy",
    }
)
"""Outcomes of deliveries, and exceptions whose messages become their reasons."""


def texts_made(source: str) -> Iterator[str]:
    """The texts that a module gives to outcomes, with a 7 for each value."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MAKERS and node.args:
            given = node.args[0]
            if isinstance(given, ast.Call) and getattr(given.func, "id", "") == "quote":
                given = given.args[0]
            if isinstance(given, ast.Constant):
                yield str(given.value)
            elif isinstance(given, ast.JoinedStr):
                parts = [
                    one.value if isinstance(one, ast.Constant) else "7" for one in given.values
                ]
                yield "".join(map(str, parts))


def test_outcomes_of_the_kinds_are_declared() -> None:
    """Each sentence about a delivery is found among the declared ones."""
    texts = {text for one in FOLDER.rglob("*.py") for text in texts_made(one.read_text())}
    assert len(texts) > 40
    only_values = {"7", "7: 7", "7. 7"}
    assert [
        text
        for text in sorted(texts - only_values)
        if not isinstance(DELIVERY_WORDS.phrase(text), Phrase)
    ] == []
    assert [*texts_made("RetryLater(quote(f'It {a} fails: {b}'))")] == ["It 7 fails: 7"]


@pytest_twisted.ensureDeferred
async def test_errors_of_deliveries_are_shown_in_the_language_of_the_person(make_rig) -> None:
    """A forwarder that fails, its attempts, its dead letters and its test: the reply is data."""
    memory = Memory()
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await add(rig, settings={"floor": 3})

    def unreached(batch: ForwardBatch) -> Outcome:
        return RetryLater("Not connected: 10.0.0.7 is not an address")

    memory.answer = unreached
    await punch(rig, [7])
    await turns(rig, 2)
    browser = await signed_in(rig)
    await browser.get("/?lang=en-XA")
    for path in ("/forwarders", "/forwarders/1"):
        page = await browser.get(path)
        assert english_left(document(page)) == [], path
        assert "10.0.0.7" in text_of(page), path
    tried = await browser.send("/forwarders/1", "/forwarders/1/test", {})
    assert english_left(document(tried)) == []
    await browser.get("/?lang=es")
    assert "Sin conexión: 10.0.0.7 no es una dirección" in text_of(await browser.get("/forwarders"))
    shown = (await rig.api("GET", "/forwarders/1")).json
    assert shown["last_error"] == "Not connected: 10.0.0.7 is not an address"
