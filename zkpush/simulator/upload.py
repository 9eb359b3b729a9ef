"""Uploads: the requests that carry records (11)."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import attrs

from ..handlers.attendance.tables import ATTLOG, ATTPHOTO
from ..protocol.exchange import STAMPS
from ..protocol.lines import encode_line
from ..protocol.packets import pack
from ..protocol.photos import encode_photo
from ..protocol.records import encode_rows
from ..protocol.text import encoding_for
from .model import Model, PhotoPath
from .record import OPERLOG, Record, RecordForm

MOST_RECORDS = 500
"""Maximum number of attendance records in one upload."""
MOST_LINES = 100
"""Maximum number of records of any other type, as some are long."""
PACK_FROM = 20
"""Number of lines from which a terminal that can pack does so."""
_OLD_STAMPS = {name: old for name, _, old in STAMPS}


@attrs.frozen
class UploadRequest:
    """One upload request: path, arguments and body."""

    path: str
    arguments: dict[str, str]
    body: bytes

    @property
    def packed(self) -> bool:
        """Whether it is a packet (11.14)."""
        return "ContentType" in self.arguments


def most(data_type: str) -> int:
    """Return the maximum number of records of a data type in one upload."""
    if data_type == ATTPHOTO.name:
        return 1
    return MOST_RECORDS if data_type == ATTLOG.name else MOST_LINES


def write_upload(
    model: Model, sn: str, data_type: str, records: Sequence[Record], *, in_base64: bool
) -> UploadRequest:
    """Write the upload of records of one data type; `in_base64` is for photos."""
    stamp = str(records[-1].stamp)
    if data_type == ATTPHOTO.name:
        return _photo(model, sn, records[0], stamp, in_base64=in_base64)
    body = b"".join(_line(record.form, model) for record in records)
    if data_type == OPERLOG and model.packs and len(records) >= PACK_FROM:
        name = f"{OPERLOG.lower()}-{stamp}.txt"
        arguments = {"table": data_type, "ContentType": "tgz"}
        return UploadRequest("cdata", arguments, pack([(name, body)]))
    old_name = _OLD_STAMPS[data_type] if model.old else None
    return UploadRequest("cdata", {"table": data_type, old_name or "Stamp": stamp}, body)


def _photo(model: Model, sn: str, record: Record, stamp: str, *, in_base64: bool) -> UploadRequest:
    name = str(record.form.values["name"])
    picture = base64.b64encode(record.picture) if in_base64 else record.picture
    if model.photo_path is PhotoPath.ARGUMENTS:
        return UploadRequest("fdata", {"PIN": name, "PhotoStamp": stamp}, picture)
    # The size is that of the original, in either form.
    lines, nul, _ = encode_photo(sn, name, record.picture).partition(b"\0")
    arguments = {"table": ATTPHOTO.name, "Stamp": stamp}
    return UploadRequest(model.photo_path.value, arguments, lines + nul + picture)


def _line(form: RecordForm, model: Model) -> bytes:
    table, values = form.table, form.values
    if table is ATTLOG:
        # The model omits later columns.
        return encode_rows(
            table, [[values[name] for name in table.names if name in values]]
        ).encode()
    encoding = "utf-8" if table.utf8 else encoding_for(model.language)
    return (encode_line(table, dict(values)) + "\n").encode(encoding, "replace")
