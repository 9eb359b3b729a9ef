"""Rules for servers configured to store no biometric templates.

Terminals still recognise people by the templates they hold themselves. The server has no templates
to lose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs
import msgspec

from ..phrases import Phrase
from ..protocol.errors import CommandError
from ..protocol.fields import Command, Table, Writing
from ..protocol.handshake import Hello, without_words
from ..protocol.omission import TemplateRules
from ..protocol.records import Batch
from ..protocol.rejects import Reject
from ..protocol.replies import CommandReply
from ..protocol.requests import Upload

NO_TYPE = "0:0:0:0:0:0:0:0:0:0"
"""Option value that exchanges no biometric type (spec 3.1)."""
_OFF = "templates are switched off on this server: see `privacy.templates` of its configuration"


@attrs.frozen
class Privacy:
    """Filters of data that the server may store, send or request."""

    templates: bool
    """Whether templates, and photos to make them from, are stored."""
    rules: TemplateRules

    def kept(self, batches: Sequence[Batch]) -> Sequence[Batch]:
        """Filter batches: no templates, and no undeclared values that may be one."""
        if self.templates:
            return batches
        return [
            self.rules.kept_batch(batch)
            for batch in batches
            if not self.rules.holds_templates(batch.table)
        ]

    def kept_rejects(self, rejects: Sequence[Reject]) -> Sequence[Reject]:
        """Filter rejects: without the bytes where a template may be in them."""
        return rejects if self.templates else [self.rules.kept_reject(reject) for reject in rejects]

    def kept_extract(self, table: Table | None, upload: Upload) -> Upload | None:
        """Filter the lines of a table that are stored for later; None to store nothing.

        `table` is None if it is no longer declared.
        """
        return upload if self.templates else self.rules.kept_extract(table, upload)

    def kept_hello(self, hello: Hello) -> Hello:
        """Filter the arguments of an exchange."""
        if self.templates:
            return hello
        return msgspec.structs.replace(hello, attributes=self.rules.kept_pairs(hello.attributes))

    def kept_reply(self, reply: CommandReply) -> CommandReply:
        """Filter the answer to a command, which may hold the content of a file."""
        if self.templates:
            return reply
        return msgspec.structs.replace(reply, values=self.rules.kept_answer(reply.values))

    def check(self, command: Command, params: Mapping[str, str]) -> None:
        """Raise `CommandError` for a command that transfers templates in either direction."""
        if self.templates:
            return
        if command.writing is Writing.RAW:
            raise CommandError(Phrase("RAW: the line may transfer templates; %(off)s", off=_OFF))
        words = command.name.split(" ")
        if words[0] == "DATA" and words[1] in ("UPDATE", "QUERY") and words[2] in self.rules.names:
            raise CommandError(_OFF)
        if self.rules.may_carry_templates(command.name, params):
            raise CommandError(_OFF)
        table = params.get("TableName")
        if command.name == "PutFile" and table != "USERINFO" and ("url" not in params or table):
            raise CommandError(Phrase("TableName: only USERINFO, because %(off)s", off=_OFF))

    def tables(self, tables: Iterable[Table]) -> list[Table]:
        """The tables that terminals are asked to upload."""
        return [
            table for table in tables if self.templates or not self.rules.holds_templates(table)
        ]

    def told(self, settings: Mapping[str, str | int]) -> dict[str, str | int]:
        """Filter the options sent to terminals, so that they send no templates."""
        told = dict(settings)
        if not self.templates:
            told |= {"MultiBioDataSupport": NO_TYPE, "MultiBioPhotoSupport": NO_TYPE}
            if "TransFlag" in told:
                told["TransFlag"] = without_words(str(told["TransFlag"]), self.rules.transfer_words)
        return told
