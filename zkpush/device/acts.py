"""Audit records for API actions, written in the same transaction."""

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
RETIRE_TERMINAL = "retire terminal"
REPLACE_TERMINAL = "replace terminal"
RESEND = "resend"
RECOMPUTE = "recompute"
QUEUE_COMMAND = "queue command"
CANCEL_COMMAND = "cancel command"
ADD_FILE = "add file"
REMOVE_FILE = "remove file"
CREATE_TOKEN = "create token"  # noqa: S105 - what is done
REVOKE_TOKEN = "revoke token"  # noqa: S105 - what is done
ADD_FORWARDER = "add forwarder"
CHANGE_FORWARDER = "change forwarder"
REMOVE_FORWARDER = "remove forwarder"
TEST_FORWARDER = "test forwarder"
REPLAY_EVENTS = "replay events"
DISCARD_EVENTS = "discard events"
LONGEST = 80
"""Maximum length in characters of a recorded value."""
_PERSON = "pin"
"""The name of the user ID field."""
_OF_PEOPLE = frozenset({_PERSON, "id_number", "message"})
"""Fields that mark a command about a person; of its other parameters, only numbers are shown."""
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp")
"""Extensions of files whose names may contain a user ID or a name."""
_HIDDEN = "(not shown)"


def record(
    tx: Transaction, by: Caller | None, action: str, subject: str, detail: str, now: int
) -> None:
    """Record an action and the origin of the call; the server's own actions are not recorded.

    `detail` must hold no secret, and may be empty.
    """
    if by is not None:
        tx[AuditStore].add(by.actor, action, subject, in_parts(detail, by.origin), now)


def in_parts(*parts: str) -> str:
    """Join the parts of a detail that are not empty."""
    return "; ".join(filter(None, parts))


def change_detail(values: Mapping[str, object]) -> str:
    """The changed attributes of a terminal, as text for the audit log."""
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
    """A command with its parameters, as text; secret and personal values are hidden.

    The audit log is not encrypted, has many readers, and outlives the people in it: a user ID is
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
    """A file's name and size; picture names are hidden, because they may be those of people."""
    shown = f"picture {_HIDDEN}" if name.lower().endswith(_PICTURES) else name
    return f"{shown}, {size} bytes"


def _cut(value: object) -> str:
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
