"""Commands in the audit log: each that was noted is shown, whatever it was given."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.handlers.audit.orders import OrderWords
from zkpush.persist.audit import AuditStore
from zkpush.persist.transaction import Transaction
from zkpush.protocol.fields import Command

from ..declared import COMMANDS
from ..rig import Rig
from .browser import signed_in, text_of

WORDS = OrderWords(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: f"{one.family}-{one.name}")
def test_a_command_is_in_words_with_any_of_its_parameters(command: Command) -> None:
    """With none, with each alone, with all, and with text that is no parameter."""
    wires = [field.wire for field in command.parameters]
    given = ["", " and more", *(f" {wire}=a b" for wire in wires)]
    given += [" " + "\t".join(f"{wire}=1" for wire in wires), *(f" {w} (not shown)" for w in wires)]
    for one in given:
        phrase = WORDS.phrase("queue command", f"mx01: {command.name}{one}; expires_in 60")
        assert command.name in str(phrase)


@pytest_twisted.ensureDeferred
async def test_the_log_is_shown_after_people_were_fetched_from_a_terminal(rig: Rig) -> None:
    """That command has parameters, and is given none."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    order = {"command": "DATA QUERY USERINFO"}
    assert (await rig.api("POST", "/devices/T1/commands", order)).status == 202
    reply = await browser.get("/audit")
    assert reply.status == 200
    assert "DATA QUERY USERINFO" in text_of(reply)


@pytest_twisted.ensureDeferred
async def test_a_record_of_another_form_is_shown_as_it_is_stored(rig: Rig) -> None:
    """A plugin or a later version may note what this one does not know."""
    odd = {
        "queue command": "mx01: NOTHING KNOWN a=b",
        "create job": "INFO; some terminals",
        "export": "=, =, csv",
        "add forwarder": "a7 ((",
        "retry job": "stalled, ",
        "change access data": "nowhere",
    }

    def note(tx: Transaction) -> None:
        for action, detail in odd.items():
            tx[AuditStore].add("account ann", action, "terminal T1", detail, 5)

    await rig.store.write(note)
    browser = await signed_in(rig)
    reply = await browser.get("/audit")
    assert reply.status == 200
    for detail in odd.values():
        assert detail.strip() in text_of(reply)
