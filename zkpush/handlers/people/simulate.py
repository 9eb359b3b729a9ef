"""Enrolment at a simulated terminal, which succeeds at once (12.6)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...protocol.codes import EnrollFailure, Operation, ReturnCode
from ...protocol.fields import Command
from ...simulator import status
from ...simulator.abilities import algorithm_of, user_of
from ...simulator.answer import Answer, ReturnCodeError
from ...simulator.biometrics import Algorithm, invent_template
from ...simulator.operation import ADMINISTRATOR
from ...simulator.parameters import read_values
from ...simulator.record import Record, RecordForm
from .tables import BIODATA, FP, USER

if TYPE_CHECKING:
    from ...simulator.terminal import SimulatedTerminal

_LARGEST_CARD = 2**32 - 1


async def enroll_finger(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Enrol a finger (12.6.1)."""
    values = read_values(command, params, terminal.model.encoding)
    _enroll(terminal, algorithm_of(terminal, FP), values, values["number"])
    await terminal.upload()
    return Answer()


async def enroll_biometric(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Enrol a biometric type, and the card if there is one (12.6.3)."""
    values = read_values(command, params, terminal.model.encoding)
    algorithm = algorithm_of(terminal, BIODATA, values["type"])
    _enroll(terminal, algorithm, values, algorithm.number)
    if values.get("card"):
        _give_card(terminal, values["pin"], values["card"])
    await terminal.upload()
    return Answer()


async def enroll_card(
    terminal: SimulatedTerminal, command: Command, params: Mapping[str, str]
) -> Answer:
    """Enrol the card that is held to the terminal (12.6.2)."""
    values = read_values(command, params, terminal.model.encoding)
    user_of(terminal, values["pin"])
    terminal.operate(Operation.ENROLL_MF_CARD, ADMINISTRATOR, values["pin"])
    _give_card(terminal, values["pin"], str(terminal.chance.randint(1, _LARGEST_CARD)))
    await terminal.upload()
    return Answer()


def _enroll(
    terminal: SimulatedTerminal, algorithm: Algorithm, values: Mapping[str, Any], number: int
) -> None:
    """Create a template; an existing one is overwritten only if the server allows it."""
    pin = values["pin"]
    user_of(terminal, pin)
    template = invent_template(terminal.chance, algorithm, pin, number=number)
    record = template.record()
    if terminal.outbox.find(record.key) is None:
        if status.held(algorithm, terminal.outbox) >= algorithm.capacity:
            raise ReturnCodeError(ReturnCode.CAPACITY_LIMITED)
    elif not values.get("overwrite"):
        raise ReturnCodeError(EnrollFailure.ALREADY_ENROLLED)
    size = len(base64.b64encode(template.content))
    terminal.operate(algorithm.operation, ADMINISTRATOR, pin, number, size)
    terminal.keep(record)


def _give_card(terminal: SimulatedTerminal, pin: str, card: str) -> None:
    user = user_of(terminal, pin)
    terminal.keep(Record(RecordForm(USER, {**user.own.values, "card": card}), USER.transfer[-1:]))


EXECUTE = {
    "ENROLL_FP": enroll_finger,
    "ENROLL_MF": enroll_card,
    "ENROLL_BIO": enroll_biometric,
}
