"""Terminal families: protocols that terminals speak beside Attendance PUSH (docs/families.md).

A family translates between bytes and values. It has no state, does no I/O and reads no clock; its
methods run on the reactor and on threads, and must not block. A capability declares its tables and
commands with the name of the family (`Table.family`, `Command.family`); its handler part also
translates intents for it (`INTENTS`).
"""

from __future__ import annotations

from ..device.intents import Instruction, NotPossible, Translations, impossible
from ..device.session import PLAIN as PLAIN_SESSION
from ..interfaces import ITerminalFamily
from ..protocol.commands import encode_command
from ..protocol.errors import CommandError, ProtocolError, TerminalError, refusal
from ..protocol.handshake import Hello
from ..protocol.packets import PacketLimits
from ..protocol.rejects import Reject
from ..protocol.replies import CommandReply, decode_replies
from ..protocol.requests import Arguments, Upload
from ..protocol.uploads import UploadDecoder
from ..values.families import Action, AnswerOutcome, FamilyRoute, Opening, SessionTable

__all__ = [
    "PLAIN_SESSION",
    "Action",
    "AnswerOutcome",
    "Arguments",
    "CommandError",
    "CommandReply",
    "FamilyRoute",
    "Hello",
    "ITerminalFamily",
    "Instruction",
    "NotPossible",
    "Opening",
    "PacketLimits",
    "ProtocolError",
    "Reject",
    "SessionTable",
    "TerminalError",
    "Translations",
    "Upload",
    "UploadDecoder",
    "decode_replies",
    "encode_command",
    "impossible",
    "refusal",
]
