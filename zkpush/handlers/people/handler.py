"""People: users (11.5), their templates (11.9 to 11.12) and photos (11.13, 11.15)."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import attrs
import msgspec
from zope.interface import implementer

from ...device.functions import CommandFunctions, Params
from ...interfaces import IRecordHandler
from ...model import Device
from ...persist.transaction import Transaction
from ...protocol.codes import BiometricType
from ...protocol.fields import Row, Table, plain_base64
from ...protocol.hybrid import Hybrid, negotiate_types
from ...protocol.records import Batch, value_of
from ...protocol.secrecy import EXTRA, RAW
from .model import PersonStatement
from .packages import completed
from .store import PeopleStore
from .tables import BIODATA, BIOPHOTO, FACE, FP, FVEIN, TEMPLATE_TABLES, USER, USERPIC
from .wording import INTENTS

_UNDER_DURESS = 3
"""Value of Valid for a fingerprint that is valid and a duress finger (12.1.1.3)."""
_RANDOM = 16
"""Random bytes before the template of a face (11.10)."""
_TYPES = {
    FP.name: BiometricType.FINGERPRINT,
    FACE.name: BiometricType.FACE,
    FVEIN.name: BiometricType.FINGER_VEIN,
}
"""Biometric types of the templates that have tables of their own."""
_TEMPLATE: dict[str, object] = {field.name: field.default for field in BIODATA.fields}
_PHOTO: dict[str, object] = {field.name: field.default for field in BIOPHOTO.fields}
"""Default values of templates and photos."""
_template_key = itemgetter(*BIODATA.key)
_photo_key = itemgetter(*BIOPHOTO.key, "kind")


@implementer(IRecordHandler)
@attrs.frozen
class PeopleHandler:
    """Stores the newest of each user, template and photo, from any terminal."""

    name = "people"
    tables = (USER, *TEMPLATE_TABLES, USERPIC, BIOPHOTO)
    changes_device = False

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write the rows of one upload."""
        table = batch.table
        if table is USER:
            tx[PeopleStore].keep_users(device.id, _users(batch.rows), now)
        elif table in (USERPIC, BIOPHOTO):
            tx[PeopleStore].keep_photos(device.id, _photos(table, batch.rows), now)
        else:
            hybrid = negotiate_types(device.options, device.attributes)
            templates = _templates(table, batch.rows, hybrid)
            tx[PeopleStore].keep_templates(device.id, templates, now)

    def stored(self, device: Device, batch: Batch) -> None:
        """Do nothing: the data is visible with the person."""


def _users(rows: Sequence[Row]) -> list[PersonStatement]:
    names = (*USER.names, EXTRA, RAW)
    said = []
    for row in rows:
        values = dict(zip(names, row, strict=True))
        said.append(PersonStatement((str(values["pin"]),), values, msgspec.json.encode(row)))
    return said


def _templates(table: Table, rows: Sequence[Row], hybrid: Hybrid) -> list[PersonStatement]:
    """Convert templates of any table to the unified form."""
    common: dict[str, object] = {**_TEMPLATE, EXTRA: None, RAW: None, "form": table.name}
    type_ = _TYPES.get(table.name)
    if type_ is not None:
        support = hybrid.of(type_)
        common["type"] = int(type_)
        common["major_version"] = support.major_version or 0
        common["minor_version"] = support.minor_version or 0
    names = (*table.names, EXTRA, RAW)
    own = [(name, place) for place, name in enumerate(names) if name in common]
    said = []
    for row in rows:
        values = common.copy()
        for name, place in own:
            values[name] = row[place]
        if type_ is not None and values["valid"] == _UNDER_DURESS:
            values["valid"], values["duress"] = 1, 1
        stated = values
        if table is FACE and isinstance(values["template"], bytes):
            # The random bytes differ each time, and do not make another template.
            stated = {**values, "template": plain_base64(values["template"])[_RANDOM:]}
        said.append(PersonStatement(_template_key(values), values, msgspec.json.encode(stated)))
    return said


def _photos(table: Table, rows: Sequence[Row]) -> list[PersonStatement]:
    names = (*table.names, EXTRA, RAW)
    said = []
    for row in rows:
        values = {**_PHOTO, **dict(zip(names, row, strict=True)), "kind": table.name}
        content = values["content"]
        values["content"] = plain_base64(content) if isinstance(content, bytes) else None
        # The size may be counted in two ways (11.13), and does not make another photo.
        stated = values.copy()
        del stated["size"]
        said.append(PersonStatement(_photo_key(values), values, msgspec.json.encode(stated)))
    return said


def _of_user(table: Table, row: Row, params: Params) -> bool:
    return params.get("PIN") in (None, value_of(table, row, "pin"))


def _of_finger(table: Table, row: Row, params: Params) -> bool:
    finger = params.get("FingerID")
    if table is BIODATA and value_of(table, row, "type") != BiometricType.FINGERPRINT:
        return False
    return _of_user(table, row, params) and finger in (None, str(value_of(table, row, "number")))


def _of_type(table: Table, row: Row, params: Params) -> bool:
    number = params.get("No")
    return (
        str(value_of(table, row, "type")) == params["Type"]
        and _of_user(table, row, params)
        and number in (None, str(value_of(table, row, "number")))
    )


FUNCTIONS = CommandFunctions(
    prepares={"PutFile": completed},
    matchers={
        "DATA QUERY USERINFO": {USER.name: _of_user},
        "DATA QUERY FINGERTMP": {FP.name: _of_finger, BIODATA.name: _of_finger},
        "DATA QUERY BIODATA": {BIODATA.name: _of_type},
    },
)

EVENTS = {"user": "A user, template or photo was stored"}

HANDLERS = (PeopleHandler(),)

__all__ = ["FUNCTIONS", "HANDLERS", "INTENTS"]
