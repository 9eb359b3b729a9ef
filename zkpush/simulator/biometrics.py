"""Biometric types that simulated terminals know, and templates of them (3.1, 11.9 to 11.12)."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from ..handlers.people.tables import BIODATA, FACE, FP, FVEIN
from ..protocol.codes import BiometricType, Operation, TemplateFormat
from ..protocol.fields import Table, plain_base64
from .record import Record, RecordForm

PLACES = 10
"""Numbers in a list such as MultiBioDataSupport: a place for each type of Appendix 10 to 2.4.1."""
_RANDOM = 16
"""Random bytes before the template of a face (11.10)."""
_UNDER_DURESS = 3
"""Valid of a fingerprint that is given under duress (12.1.1.3)."""


@attrs.frozen
class Algorithm:
    """What a terminal can do with one biometric type."""

    type: BiometricType
    operation: Operation
    """What the terminal calls the enrolment (Appendix 3)."""
    version: tuple[int, int]
    length: int
    """Bytes of a template."""
    capacity: int
    """Most templates."""
    table: Table = BIODATA
    """Where templates go without the hybrid protocol."""
    photos: bool = False
    """Whether it works with comparison photos."""
    number: int = 0
    """The finger, eye or hand that people enrol."""
    transfer: tuple[str, ...] = ()
    """The words of TransFlag that ask for it."""


FINGERPRINT = Algorithm(
    BiometricType.FINGERPRINT,
    Operation.ENROLL_FINGERPRINT,
    version=(10, 0),
    length=498,
    capacity=10_000,
    table=FP,
    number=6,
    transfer=FP.transfer,
)
INFRARED_FACE = Algorithm(
    BiometricType.FACE,
    Operation.ENROLL_FACE,
    version=(7, 0),
    length=720,
    capacity=3_000,
    table=FACE,
    transfer=FACE.transfer,
)
FINGER_VEIN = Algorithm(
    BiometricType.FINGER_VEIN,
    Operation.ENROLL_FINGER_VEIN,
    version=(3, 0),
    length=576,
    capacity=3_000,
    table=FVEIN,
    number=7,
)
PALM = Algorithm(
    BiometricType.PALM_VEIN,
    Operation.ENROLL_PALMPRINT,
    version=(1, 0),
    length=640,
    capacity=3_000,
    number=1,
)
VISIBLE_FACE = Algorithm(
    BiometricType.VISIBLE_LIGHT_FACE,
    Operation.ENROLL_FACE,
    version=(58, 12),
    length=512,
    capacity=6_000,
    photos=True,
    transfer=FACE.transfer,
)


@attrs.frozen
class SimulatedTemplate:
    """One template of one person."""

    algorithm: Algorithm
    pin: str
    number: int
    content: bytes
    salt: bytes
    """What stands before it where its section wants random bytes."""
    duress: bool = False
    index: int = 0
    """Which of several templates of one finger, or one face, it is."""
    valid: int = 1

    @property
    def own(self) -> RecordForm:
        """The form of its own section (11.9 to 11.11)."""
        table = self.algorithm.table
        if table is BIODATA:
            return self.unified
        salted = self.salt + self.content if table is FACE else self.content
        valid = _UNDER_DURESS if self.duress else self.valid
        return RecordForm(table, {**self._values(salted), "valid": valid})

    @property
    def unified(self) -> RecordForm:
        """The unified form (11.12)."""
        return RecordForm(BIODATA, self._values(self.content))

    def record(self, *, given: bool = False) -> Record:
        """Write it as a record; `given` if it is from the server."""
        return Record(
            self.own,
            self.algorithm.transfer[:1],
            type=self.algorithm.type,
            unified=self.unified,
            sent=given,
            given=given,
        )

    def _values(self, content: bytes) -> dict[str, object]:
        """All that any of the tables asks for; each takes what it has fields for."""
        encoded = base64.b64encode(content)
        major, minor = self.algorithm.version
        return {
            "pin": self.pin,
            "number": self.number,
            "index": self.index,
            "valid": self.valid,
            "duress": int(self.duress),
            "type": int(self.algorithm.type),
            "major_version": major,
            "minor_version": minor,
            "format": str(int(TemplateFormat.ZK)),
            "size": len(encoded),
            "template": encoded,
        }


def read_template(
    algorithm: Algorithm, table: Table, values: Mapping[str, Any]
) -> SimulatedTemplate:
    """Read the values of a template as any of the tables has them; the inverse of `own`."""
    content = plain_base64(values["template"])
    salted = _RANDOM if table is FACE else 0
    valid = values.get("valid", 1)
    duress = bool(values.get("duress")) or valid == _UNDER_DURESS
    return SimulatedTemplate(
        algorithm,
        values["pin"],
        values.get("number", 0),
        content[salted:],
        content[:salted] or bytes(_RANDOM),
        duress=duress,
        index=values.get("index", 0),
        valid=min(valid, 1),
    )


def invent_template(
    chance: random.Random,
    algorithm: Algorithm,
    pin: str,
    *,
    number: int | None = None,
    duress: bool = False,
) -> SimulatedTemplate:
    """Make up a template; one under duress is of another finger."""
    if number is None:
        number = algorithm.number + (1 if duress else 0)
    content = chance.randbytes(algorithm.length)
    return SimulatedTemplate(algorithm, pin, number, content, chance.randbytes(_RANDOM), duress)


def by_type(algorithms: Iterable[Algorithm], value: Callable[[Algorithm], object]) -> str:
    """A list with a value for each biometric type, and 0 for those that are not there (3.1)."""
    values = {algorithm.type: str(value(algorithm)) for algorithm in algorithms}
    return ":".join(values.get(BiometricType(place), "0") for place in range(PLACES))
