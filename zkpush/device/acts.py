"""What callers of the API do, for the audit log: recorded in the unit of work that does it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..model import DEVICE_ATTRIBUTES, Caller
from ..persist.audit import AuditStore
from ..persist.transaction import Transaction
from ..protocol.fields import Command, Kind
from ..protocol.secrecy import parameter_secrets

ADD_TERMINAL = "add terminal"
CHANGE_TERMINAL = "change terminal"
REMOVE_TERMINAL = "remove terminal"
RESEND = "resend"
RECOMPUTE = "recompute"
QUEUE_COMMAND = "queue command"
CANCEL_COMMAND = "cancel command"
ADD_FILE = "add file"
REMOVE_FILE = "remove file"
CREATE_TOKEN = "create token"  # noqa: S105 - what is done
REVOKE_TOKEN = "revoke token"  # noqa: S105 - what is done
LONGEST = 80
"""Most characters of a value that are recorded."""
_PERSON = "pin"
"""The field of a user ID."""
_OF_PEOPLE = frozenset({_PERSON, "id_number", "message"})
"""Fields of commands about people: of their other parameters, only numbers are shown."""
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp")
"""Files whose names may hold a user ID or a name."""
_HIDDEN = "(not shown)"


def record(
    tx: Transaction, by: Caller | None, action: str, subject: str, detail: str, now: int
) -> None:
    """Record what a caller does, and where the call came from; nothing for the server's own acts.

    `detail` holds nothing secret, and may be empty.
    """
    if by is not None:
        told = f"{detail}; {by.origin}" if detail else by.origin
        tx[AuditStore].add(by.actor, action, subject, told, now)


def change_detail(values: Mapping[str, object]) -> str:
    """What is changed of a terminal, by the names of its attributes."""
    words = []
    for name, value in values.items():
        attribute = DEVICE_ATTRIBUTES.get(name)
        if attribute is None or attribute.own.is_hidden:
            words.append(f"{name} {_HIDDEN}")
        elif isinstance(value, Mapping):
            words += [f"{key}={_cut(each)}" for key, each in value.items()]
        else:
            words.append(f"{name}={_cut(value)}")
    return ", ".join(words)


def command_detail(
    command: Command, params: Mapping[str, str], person: Callable[[str], str]
) -> str:
    """A command with its parameters; what may be secret, or tell who a person is, is only named.

    The audit log is not sealed, many read it, and it outlives the people in it: a user ID is
    replaced by the pseudonym that `person` returns.
    """
    fields = {field.wire: field for field in command.parameters}
    hidden = {*parameter_secrets(command, params)}
    if any(field.name in _OF_PEOPLE for field in command.parameters):
        hidden |= {
            name
            for name, field in fields.items()
            if field.kind not in (Kind.INTEGER, Kind.NUMBER) and field.name != _PERSON
        }
    words = []
    for name, value in params.items():
        if name in fields and fields[name].name == _PERSON:
            words.append(f"{name}={person(value)}")
        elif name in hidden or value.lower().endswith(_PICTURES):
            words.append(f"{name} {_HIDDEN}")
        else:
            words.append(f"{name}={_cut(value)}")
    return " ".join([command.name, *words])


def file_detail(name: str, size: int) -> str:
    """A file by its name, but for pictures: their names may be those of people."""
    shown = f"picture {_HIDDEN}" if name.lower().endswith(_PICTURES) else name
    return f"{shown}, {size} bytes"


def _cut(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
