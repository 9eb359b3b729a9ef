"""Biometric types of simulated terminals, and invented templates (3.1, 11.9 to 11.12)."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from ..handlers.people.tables import BIODATA, FACE, FP, FVEIN
from ..protocol.codes import BiometricType, Operation, TemplateFormat
from ..protocol.fields import Table
from ..protocol.scalars import plain_base64
from .record import Record, RecordForm

PLACES = 10
"""Length of a list such as MultiBioDataSupport: one entry for each type of Appendix 10."""
_RANDOM = 16
"""Number of random bytes before the template of a face (11.10)."""
_UNDER_DURESS = 3
"""Value of Valid for a duress fingerprint (12.1.1.3)."""


@attrs.frozen
class Algorithm:
    """Capabilities of a terminal for one biometric type."""

    type: BiometricType
    operation: Operation
    """Enrolment in the operation log (Appendix 3)."""
    version: tuple[int, int]
    length: int
    """Length of a template in bytes."""
    capacity: int
    """Maximum number of templates."""
    table: Table = BIODATA
    """Table of templates without the hybrid protocol."""
    photos: bool = False
    """Whether comparison photos are supported."""
    number: int = 0
    """The finger, eye or hand that is enrolled."""
    transfer: tuple[str, ...] = ()
    """Words of TransFlag that request it."""


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
    """A template of a person."""

    algorithm: Algorithm
    pin: str
    number: int
    content: bytes
    salt: bytes
    """Random bytes before the template, in tables that require them."""
    duress: bool = False
    index: int = 0
    """Index among several templates of one finger or face."""
    valid: int = 1

    @property
    def own(self) -> RecordForm:
        """The form of the table of its type (11.9 to 11.11)."""
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
        """Make a record; `given` is whether it is from the server."""
        return Record(
            self.own,
            self.algorithm.transfer[:1],
            type=self.algorithm.type,
            unified=self.unified,
            sent=given,
            given=given,
        )

    def _values(self, content: bytes) -> dict[str, object]:
        """Return the values for all tables of templates; each table takes those of its fields."""
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
    """Parse the values of a template from any of the tables; the inverse of `own`."""
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
    """Invent a template; a duress template is of another finger."""
    if number is None:
        number = algorithm.number + (1 if duress else 0)
    content = chance.randbytes(algorithm.length)
    return SimulatedTemplate(algorithm, pin, number, content, chance.randbytes(_RANDOM), duress)


def by_type(algorithms: Iterable[Algorithm], value: Callable[[Algorithm], object]) -> str:
    """Format a list with a value for each biometric type; 0 for missing types (3.1)."""
    values = {algorithm.type: str(value(algorithm)) for algorithm in algorithms}
    return ":".join(values.get(BiometricType(place), "0") for place in range(PLACES))
