"""Terminal families: protocols that terminals speak beside Attendance PUSH (docs/families.md).

A family turns bytes into values and values into bytes. It keeps nothing, opens nothing and knows no
clock; its methods run on the reactor and on threads, and must not block. Its tables and commands
are declared with its name (`Table.family`, `Command.family`) by a capability, whose handler part
also translates intents for it (`INTENTS`).
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
