"""Abilities of a terminal, by its model and its current options (3.1, 8)."""

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
"""Options that enable a biometric type."""
_SUPPORT = "MultiBioDataSupport"


def user_of(terminal: SimulatedTerminal, pin: str) -> Record:
    """Return the record of a user on the terminal; `ReturnCodeError` if there is none."""
    terminal.settle()
    user = terminal.outbox.find(Record(RecordForm(USER, {"pin": pin})).key)
    if user is None:
        raise ReturnCodeError(ReturnCode.USER_UNKNOWN)
    return user


def algorithm_of(terminal: SimulatedTerminal, table: Table, type_: int | None = None) -> Algorithm:
    """Return the algorithm for a template or a photo; `ReturnCodeError` without one.

    `type_` is the biometric type, for tables of several types.
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
