"""Contract of terminal families."""

from __future__ import annotations

import pathlib
from collections.abc import Collection
from typing import Any

import pytest
import pytest_twisted

from ...plugincheck import plugin_faults
from ...pluginkinds import FAMILIES
from ...protocol.dialect import FIRST_FAMILY
from ...protocol.errors import (
    CommandError,
    Refused,
    TerminalError,
    TooLarge,
    TooManyRequests,
    Unavailable,
)
from ...protocol.packets import PacketLimits
from ...protocol.requests import parse_arguments
from ...values.families import Action
from ..rig import Rig

SN = "T1"
NEEDED = frozenset({Action.BEGIN, Action.UPLOAD, Action.POLL, Action.ANSWER})
"""Actions without which a terminal cannot be served."""
BODIES = (
    b"",
    b"\n",
    b"=",
    b"x",
    b"\x00\xff\t\r\n" * 50,
    b"a=b\tc=d\n" * 50,
    b"\xa8\xa6",
)
QUERIES = (b"", b"table=", b"table=x&tablename=", b"DeviceType=&pushver=&language=", b"x=%00%ff")
ERRORS = (TerminalError, Refused, TooLarge, TooManyRequests, Unavailable)


class TerminalFamilyContract:
    """Contract of a family: it serves its own terminals, and survives any other input."""

    hello = b"options=all"
    """Arguments with which a terminal of the family begins, without its serial number."""

    def make_family(self) -> Any:
        """Make the family."""
        raise NotImplementedError("say how the family is made")

    def make_others(self) -> Collection[object]:
        """Make the plugins that the family needs, such as a capability with its tables."""
        return ()

    def test_it_is_a_sound_plugin(self) -> None:
        """It provides its interface and has a name."""
        assert plugin_faults(FAMILIES, self.make_family()) == []

    def test_its_terminals_can_do_what_they_must(self) -> None:
        """Its terminals can begin a session, upload, poll for commands and answer them."""
        assert {row.action for row in self.make_family().routes} >= NEEDED

    def test_it_claims_its_terminals_and_no_others(self) -> None:
        """It claims its own terminals only; unclaimed ones belong to Attendance PUSH."""
        family = self.make_family()
        if family.name != FIRST_FAMILY:
            (path, *_) = (row.path for row in family.routes if row.action is Action.BEGIN)
            assert family.claims(path, parse_arguments(self.hello))
            assert not family.claims("cdata", parse_arguments(b"options=all&DeviceType=att"))

    @pytest.mark.parametrize("query", QUERIES)
    def test_any_arguments_are_read(self, query: bytes) -> None:
        """Any arguments are parsed without an unexpected exception."""
        family, arguments = self.make_family(), parse_arguments(query)
        for path in {row.path for row in family.routes}:
            assert family.claims(path, arguments) in (True, False)
        assert family.hello(arguments).attributes is not None
        reported = family.reported(arguments)
        assert reported is None or reported.table

    @pytest.mark.parametrize("body", BODIES)
    @pytest.mark.parametrize("query", QUERIES)
    def test_any_body_is_read(self, query: bytes, body: bytes) -> None:
        """Any upload has a table or is refused, and can be acknowledged with any count."""
        family, arguments = self.make_family(), parse_arguments(query)
        decoder = family.decoder((), PacketLimits())
        assert isinstance(decoder.limits, PacketLimits)
        for path in {row.path for row in family.routes if row.action is Action.UPLOAD}:
            try:
                upload = family.upload(path, arguments, body, moves_stamp=True)
            except TerminalError:
                continue
            assert upload.body == body
            assert family.acknowledge(upload, 2, bare=False)
            assert family.acknowledge(upload, 0, bare=True)
        replies, rejects = family.answers(body, "utf-8", arguments)
        assert all(reply.id for reply in replies)
        assert len(rejects) <= len(body) + 1

    def test_no_refusal_is_taken_for_success(self) -> None:
        """A refusal differs from a success, and is never empty."""
        family = self.make_family()
        for error in ERRORS:
            status, body = family.refuse(error("It is not served: OK?"))
            assert (status, bool(body)) == (error.status, True)
            assert body not in (family.nothing, family.received)
        status, body = family.again
        assert body
        assert (status, body) not in ((200, family.nothing), (200, family.received))

    def test_a_command_is_one_line(self) -> None:
        """A command is one line with its ID and its text; text with a second command is refused."""
        family = self.make_family()
        line = family.write("A1", "WORDS key=value", "utf-8")
        assert b"A1" in line
        assert b"WORDS" in line
        assert line.count(b"\n") == 1
        for text in ("WORDS\nMORE", "WORDS\rMORE", "WORDS\0"):
            with pytest.raises(CommandError):
                family.write("A1", text, "utf-8")

    def test_an_answer_without_a_code_is_a_success(self) -> None:
        """An answer without a return code is a success; one with a negative code is a failure."""
        family = self.make_family()
        assert family.outcome("WORDS", None).is_success
        assert family.outcome("WORDS", 0).is_success
        assert not family.outcome("WORDS", -1).is_success

    @pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]  # pytest_twisted has no types
    async def test_a_daemon_serves_its_terminals(self, tmp_path: pathlib.Path) -> None:
        """A terminal begins a session in the family, and polls."""
        family = self.make_family()
        (begin, *_) = (row for row in family.routes if row.action is Action.BEGIN)
        (poll, *_) = (row for row in family.routes if row.action is Action.POLL)
        plugins = [family, *self.make_others()]
        rig = await Rig(tmp_path, admission="open", plugins=plugins).start()
        try:
            query = f"SN={SN}&{self.hello.decode()}"
            ask = f"{poll.path}?SN={SN}"
            before = await rig.get(ask)
            began = await rig.get(f"{begin.path}?{query}")
            polled = await rig.get(ask)
            shown = (await rig.api("GET", f"/devices/{SN}")).json
        finally:
            await rig.stop()
        assert began.status == 200
        assert began.body
        assert shown["family"] == family.name
        assert (polled.status, polled.body) == (200, family.nothing)
        assert before.body != polled.body
