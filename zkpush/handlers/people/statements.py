"""Statements of terminals about users, templates and photos, from records (11.5, 11.9 to 11.15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter

import msgspec

from ...protocol.codes import BiometricType
from ...protocol.fields import Row, Table
from ...protocol.hybrid import Hybrid
from ...protocol.scalars import plain_base64
from ...protocol.secrecy import EXTRA, RAW
from .model import PersonStatement
from .tables import BIODATA, BIOPHOTO, FACE, FP, FVEIN, TEMPLATE_TABLES, USER

_UNDER_DURESS = 3
"""Value of Valid for a fingerprint that is valid and a duress finger (12.1.1.3)."""
_RANDOM = 16
"""Random bytes before the template of a face (11.10)."""
_USUAL_FORMAT = "0"
"""Value of Format that ZKTeco's own templates have (11.15)."""
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


def users_of(rows: Sequence[Row]) -> list[PersonStatement]:
    """Return the statements of rows of the table of users."""
    names = (*USER.names, EXTRA, RAW)
    said = []
    for row in rows:
        values = dict(zip(names, row, strict=True))
        said.append(PersonStatement((str(values["pin"]),), values, msgspec.json.encode(row)))
    return said


def templates_of(table: Table, rows: Sequence[Row], hybrid: Hybrid) -> list[PersonStatement]:
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
        said.append(PersonStatement(_template_key(values), values, _text_of(values)))
    return said


def texts_of(template: Mapping[str, object]) -> list[bytes]:
    """Return the texts of the statements that terminals may make of a stored template.

    The same template may be stated in different tables, of which only one has its format.
    """
    values = {name: template[name] for name in (*_TEMPLATE, EXTRA, RAW)}
    return [
        _text_of({**values, "form": table.name, "format": format_})
        for table in TEMPLATE_TABLES
        for format_ in {None, _USUAL_FORMAT, template["format"]}
    ]


def _text_of(values: Mapping[str, object]) -> bytes:
    """Return the text of the statement of a template, of which a digest is stored."""
    template = values["template"]
    if values["form"] == FACE.name and isinstance(template, bytes):
        # The random bytes differ each time, and do not make another template.
        values = {**values, "template": plain_base64(template)[_RANDOM:]}
    return msgspec.json.encode(values)


def photos_of(table: Table, rows: Sequence[Row]) -> list[PersonStatement]:
    """Return the statements of rows of a table of photos."""
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
