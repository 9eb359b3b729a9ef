"""People: users (11.5), their templates (11.9 to 11.12) and photos (11.13, 11.15)."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import msgspec
from twisted.plugin import IPlugin
from zope.interface import implementer

from ..device.functions import CommandFunctions, Params
from ..interfaces import IRecordHandler
from ..model import Device, Said
from ..persist.transaction import Transaction
from ..protocol.codes import BiometricType
from ..protocol.fields import Table, plain_base64
from ..protocol.hybrid import Hybrid, negotiate_types
from ..protocol.records import Batch, Row
from ..protocol.tables import (
    BIODATA,
    BIOPHOTO,
    FACE,
    FP,
    FVEIN,
    TEMPLATE_TABLES,
    USER,
    USERPIC,
)
from .packages import completed
from .values import value_of, values_of

_UNDER_DURESS = 3
"""Valid of a fingerprint that is both valid and given under duress (12.1.1.3)."""
_RANDOM = 16
"""Random bytes before the template of a face (11.10)."""
_TYPES = {
    FP.name: BiometricType.FINGERPRINT,
    FACE.name: BiometricType.FACE,
    FVEIN.name: BiometricType.FINGER_VEIN,
}
"""The biometric types of the templates that have tables of their own."""
_TEMPLATE: dict[str, object] = {field.name: field.default for field in BIODATA.fields}
_PHOTO: dict[str, object] = {field.name: field.default for field in BIOPHOTO.fields}
"""What a template and a photo are unless a row says otherwise."""


@implementer(IPlugin, IRecordHandler)
@attrs.frozen
class PeopleHandler:
    """Keeps the newest of each user, template and photo, whichever terminal it came from."""

    name = "people"
    tables = (USER, *TEMPLATE_TABLES, USERPIC, BIOPHOTO)
    changes_device = False

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write the rows of one upload."""
        table = batch.table
        if table is USER:
            tx.people.keep_users(device.id, _users(batch.rows), now)
        elif table in (USERPIC, BIOPHOTO):
            photos = [_photo(table, own) for own in values_of(table, batch.rows)]
            tx.people.keep_photos(device.id, photos, now)
        else:
            hybrid = negotiate_types(device.options, device.attributes)
            templates = [_template(table, own, hybrid) for own in values_of(table, batch.rows)]
            tx.people.keep_templates(device.id, templates, now)

    def stored(self, device: Device, batch: Batch) -> None:
        """Nothing follows: whoever asks for the person sees it."""


def _users(rows: Sequence[Row]) -> list[Said]:
    return [
        Said((str(values["pin"]),), values, msgspec.json.encode(row))
        for row, values in zip(rows, values_of(USER, rows), strict=True)
    ]


def _template(table: Table, own: dict[str, object], hybrid: Hybrid) -> Said:
    """A template in the unified form, whichever table it came in."""
    values = dict(_TEMPLATE)
    values |= {name: own[name] for name in own if name in values or name in ("extra", "raw")}
    values["form"] = table.name
    if table.name in _TYPES:
        type_ = _TYPES[table.name]
        support = hybrid.of(type_)
        values["type"] = int(type_)
        values["major_version"] = support.major_version
        values["minor_version"] = support.minor_version
        if values["valid"] == _UNDER_DURESS:
            values["valid"], values["duress"] = 1, 1
    said = dict(values)
    if table is FACE and isinstance(values["template"], bytes):
        # The random bytes are others each time, and make no other template.
        said["template"] = plain_base64(values["template"])[_RANDOM:]
    key = (str(values["pin"]), *(values[name] for name in BIODATA.key[1:]))
    return Said(key, values, msgspec.json.encode(said))  # type: ignore[arg-type]


def _photo(table: Table, own: dict[str, object]) -> Said:
    values = {**_PHOTO, **own}
    values["kind"] = table.name
    content = values["content"]
    values["content"] = plain_base64(content) if isinstance(content, bytes) else None
    key = (*(values[name] for name in BIOPHOTO.key), table.name)
    # The size may be counted in two ways (11.13): it makes no other photo.
    said = dict(values)
    del said["size"]
    return Said(key, values, msgspec.json.encode(said))  # type: ignore[arg-type]


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
