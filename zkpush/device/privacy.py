"""A server that keeps no templates: what is taken and not stored, not sent, and not asked for.

Terminals go on to recognise people by what they hold themselves; the server has none of it, so it
can lose none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs
import msgspec

from ..protocol.errors import CommandError
from ..protocol.fields import Command, Table
from ..protocol.handshake import Hello, without_words
from ..protocol.omission import TemplateRules
from ..protocol.records import Batch
from ..protocol.rejects import Reject
from ..protocol.replies import CommandReply
from ..protocol.requests import Upload

NO_TYPE = "0:0:0:0:0:0:0:0:0:0"
"""No biometric type is exchanged (3.1)."""
_OFF = "templates are switched off on this server: see `privacy.templates` of its configuration"


@attrs.frozen
class Privacy:
    """What the server may keep."""

    templates: bool
    """Whether it keeps templates, and photos that they are made of."""
    rules: TemplateRules

    def kept(self, batches: Sequence[Batch]) -> Sequence[Batch]:
        """What is stored of some batches: no templates, and nothing undeclared that may be one."""
        if self.templates:
            return batches
        return [
            self.rules.kept_batch(batch)
            for batch in batches
            if not self.rules.holds_templates(batch.table)
        ]

    def kept_rejects(self, rejects: Sequence[Reject]) -> Sequence[Reject]:
        """What is stored of what was not understood: not the bytes, where a template may be."""
        return rejects if self.templates else [self.rules.kept_reject(reject) for reject in rejects]

    def kept_extract(self, table: Table | None, upload: Upload) -> Upload | None:
        """What is stored of the lines of a table, to be read again; None for nothing.

        `table` is None if it is not declared any more.
        """
        return upload if self.templates else self.rules.kept_extract(table, upload)

    def kept_hello(self, hello: Hello) -> Hello:
        """What is stored of the arguments of an exchange."""
        if self.templates:
            return hello
        return msgspec.structs.replace(hello, attributes=self.rules.kept_pairs(hello.attributes))

    def kept_reply(self, reply: CommandReply) -> CommandReply:
        """What is stored of the answer to a command; its content is that of a file."""
        if self.templates:
            return reply
        return msgspec.structs.replace(reply, values=self.rules.kept_answer(reply.values))

    def check(self, command: Command, params: Mapping[str, str]) -> None:
        """`CommandError` for a command that brings templates to a terminal, or from one."""
        if self.templates:
            return
        words = command.name.split(" ")
        if words[0] == "DATA" and words[1] in ("UPDATE", "QUERY") and words[2] in self.rules.names:
            raise CommandError(_OFF)
        if self.rules.parameters & params.keys():
            raise CommandError(_OFF)
        table = params.get("TableName")
        if command.name == "PutFile" and table != "USERINFO" and ("url" not in params or table):
            raise CommandError(f"TableName: only USERINFO, because {_OFF}")

    def tables(self, tables: Iterable[Table]) -> list[Table]:
        """The tables that terminals are asked for."""
        return [
            table for table in tables if self.templates or not self.rules.holds_templates(table)
        ]

    def told(self, settings: Mapping[str, str | int]) -> dict[str, str | int]:
        """What terminals are told: nothing that makes them send templates, whatever is set."""
        told = dict(settings)
        if not self.templates:
            told |= {"MultiBioDataSupport": NO_TYPE, "MultiBioPhotoSupport": NO_TYPE}
            if "TransFlag" in told:
                told["TransFlag"] = without_words(str(told["TransFlag"]), self.rules.transfer_words)
        return told
