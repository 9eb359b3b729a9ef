"""What a terminal can do, by its model and by the options it has now (3.1, 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..handlers.people.tables import BIODATA, BIOPHOTO, USER
from ..protocol.codes import BiometricType, ReturnCode
from ..protocol.fields import Table
from .answer import ReturnCodeError
from .biometrics import Algorithm
from .record import Record, RecordForm

if TYPE_CHECKING:
    from .terminal import SimulatedTerminal

_FLAGS = {
    BiometricType.FINGERPRINT: "FingerFunOn",
    BiometricType.FACE: "FaceFunOn",
    BiometricType.VISIBLE_LIGHT_FACE: "VisilightFun",
}
"""The options that switch a biometric type on."""
_SUPPORT = "MultiBioDataSupport"


def user_of(terminal: SimulatedTerminal, pin: str) -> Record:
    """A user that the terminal has; `ReturnCodeError` if it has not."""
    terminal.settle()
    user = terminal.outbox.find(Record(RecordForm(USER, {"pin": pin})).key)
    if user is None:
        raise ReturnCodeError(ReturnCode.USER_UNKNOWN)
    return user


def algorithm_of(terminal: SimulatedTerminal, table: Table, type_: int | None = None) -> Algorithm:
    """Algorithm for a template or a photo; `ReturnCodeError` if the terminal has none for it.

    `type_` is the biometric type where the table is not of one type.
    """
    unified = table in (BIODATA, BIOPHOTO)
    if not unified or terminal.model.hybrid:
        for algorithm in terminal.model.algorithms:
            found = algorithm.type == type_ if unified else algorithm.table is table
            if found and (table is not BIOPHOTO or algorithm.photos) and _on(terminal, algorithm):
                return algorithm
    raise ReturnCodeError(ReturnCode.NOT_SUPPORTED)


def _on(terminal: SimulatedTerminal, algorithm: Algorithm) -> bool:
    options = terminal.options()
    support = options.get(_SUPPORT, "").split(":")
    if algorithm.type < len(support) and support[algorithm.type] == "0":
        return False
    return options.get(_FLAGS.get(algorithm.type, ""), "1") != "0"
